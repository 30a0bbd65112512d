# What `up`, `start`, `processes` and `down` share; sourced, not run. It changes nothing by itself but the user.
#
# DIR's layout, and the ports over its base port B (written to DIR/base-port):
#   n1 n2 n3    a machine each: Patroni and its PostgreSQL      B+11 B+21 B+31 PostgreSQL    B+12 B+22 B+32 Patroni
#   e1 e2 e3    etcd                                            B+13 B+23 B+33 clients       B+14 B+24 B+34 members
#   haproxy     the one address of a cluster that moves         B    the primary             B+1  standbys
#   passwords   one file for each role; pgpass                  readable by the owner alone
# A test that wants to cut wires puts forwarders between (`up --through-gateways`); then the machines know each other
# and etcd by gateway ports only, and so do the clients:
#   B+111 …     as machines reach a PostgreSQL (B+11 …)         B+112 …  as all but itself reach a Patroni (B+12 …)
#   B+115 …     as clients reach a PostgreSQL (B+11 …)
#   B+213 …     as n1 reaches the etcd members (B+13 …); B+313 … as n2 does; B+413 … as n3 does
# Each daemon runs in its part's folder, PostgreSQL in the data folder below: `processes` knows them by that.

umask 077
readonly USER_FOR_ROOT=postgres
readonly NODES=(1 2 3)

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# PostgreSQL refuses to run as root, and nothing here needs it: root becomes the folder's owner, once.
become_owner() { # DIR ARGUMENT...
  local dir=$1 owner=$USER_FOR_ROOT
  shift
  [[ $EUID -eq 0 ]] || return 0
  [[ ! -d $dir ]] || owner=$(stat -c %U -- "$dir")
  [[ $owner != root ]] || owner=$USER_FOR_ROOT
  id -- "$owner" >/dev/null 2>&1 || fail "there is no user $owner to run PostgreSQL as; install postgresql"
  local as_owner=(setpriv --reuid "$owner" --regid "$(id -g -- "$owner")" --init-groups --)
  "${as_owner[@]}" test -r "$0" || fail "user $owner can't read $(realpath -- "$0"); put a copy where it can"
  exec "${as_owner[@]}" "$BASH" "$0" "$@"
}

# The folder's name goes into addresses, YAML and a socket's path of at most 107 bytes: a plain, short one is asked for.
plain_folder() { # DIR: prints it, absolute
  local dir
  dir=$(realpath -m -- "$1")
  [[ $dir =~ ^/[A-Za-z0-9._/-]+$ && ${#dir} -le 80 ]] || fail "$dir: choose a folder of at most 80 plain characters"
  echo "$dir"
}

postgresql_programs() { # prints the folder of the newest PostgreSQL's programs
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n 1)
  [[ -n $newest ]] || fail "no PostgreSQL under /usr/lib/postgresql; install patroni etcd-server haproxy postgresql"
  dirname -- "$newest"
}

taken() { # PORT: whether somebody listens there
  (: </dev/tcp/127.0.0.1/"$1") 2>/dev/null
}

get() { # PORT METHOD PATH: prints an answer's status line, headers and body
  exec 3<>/dev/tcp/127.0.0.1/"$1" || return 1
  printf '%s %s HTTP/1.0\r\n\r\n' "$2" "$3" >&3
  timeout 2 cat <&3 || true
  exec 3>&-
}
