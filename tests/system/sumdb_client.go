// A client of our tiles that shares no code with us: Go's sumdb packages read a log over HTTP, as C2SP tlog-tiles lays
// it out, and check the checkpoint's signature, every entry's place in the tree, and that the tree only grew.
//
//	sumdb_client URL VKEY
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // of tlog-tiles, which leaves it out of the paths

type server struct{ url string }

func (s server) get(path string) ([]byte, error) {
	answer, err := http.Get(s.url + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", path, answer.Status, data)
	}
	return data, err
}

func (s server) Height() int { return height }

func (s server) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		data, err := s.get("/tile/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height)))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

func (s server) SaveTiles([]tlog.Tile, [][]byte) {}

// entries returns the entries of a bundle: each has its length before it, in two bytes.
func (s server) entries(n int64, width int) [][]byte {
	path := tlog.Tile{H: height, L: 0, N: n, W: width}.Path()
	data, err := s.get("/tile/entries/" + strings.TrimPrefix(path, fmt.Sprintf("tile/%d/0/", height)))
	check(err)
	var found [][]byte
	for len(data) > 0 {
		size := int(binary.BigEndian.Uint16(data)) + 2
		found = append(found, data[2:size])
		data = data[size:]
	}
	if len(found) != width {
		log.Fatalf("bundle %d has %d entries, not %d", n, len(found), width)
	}
	return found
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	log.SetFlags(0)
	service := server{strings.TrimSuffix(os.Args[1], "/")}
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	signed, err := service.get("/checkpoint")
	check(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		log.Fatalf("a checkpoint of %q", lines[0])
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)

	reader := tlog.TileHashReader(tree, service) // proves every tile against the checkpoint before it is believed
	rebuilt, err := tlog.TreeHash(size, reader)
	check(err)
	if rebuilt != tree.Hash {
		log.Fatalf("the tiles give %v, the checkpoint says %v", rebuilt, tree.Hash)
	}
	for first := int64(0); first < size; first += 1 << height {
		width := 1 << height
		if size-first < int64(width) {
			width = int(size - first)
		}
		for number, entry := range service.entries(first>>height, width) {
			index := first + int64(number)
			proof, err := tlog.ProveRecord(size, index, reader)
			check(err)
			check(tlog.CheckRecord(proof, size, tree.Hash, index, tlog.RecordHash(entry)))
		}
	}
	for old := int64(1); old < size; old = old*2 + 1 {
		before, err := tlog.TreeHash(old, reader)
		check(err)
		proof, err := tlog.ProveTree(size, old, reader)
		check(err)
		check(tlog.CheckTree(proof, size, tree.Hash, old, before))
	}
	fmt.Printf("%s %d %s\n", lines[0], size, lines[2])
}
