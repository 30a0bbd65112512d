"""A profile says who and where: file, environment and options, each above the one before; `init` writes a true one."""

from pathlib import Path

import pytest

from support.command_line import ORIGIN, Desk, done, failed, run
from tallystick.errors import UsageError
from tallystick.profile import NAME, Profile, find, load, write

TREASURY = "shanghai-treasury"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A profile, two folders above where work is done."""
    made = tmp_path / NAME
    made.write_text('source = "ledger"\nparty = "a"\nkey = "keys/k.pem"\nzone = "+08:00"\n')
    work = tmp_path / "work" / "deep"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    return made


def fault(**options: object) -> str:
    with pytest.raises(UsageError) as raised:
        load(options=options)
    return str(raised.value)


def test_the_nearest_profile_above_holds_and_its_paths_are_its_own(file: Path) -> None:
    """Wherever below it one works."""
    found = load()
    assert found.source == str(file.parent / "ledger")
    assert found.key == str(file.parent / "keys" / "k.pem")
    assert (found.party, found.zone_seconds, found.folder) == ("a", 28_800, file.parent)
    assert find(Path.cwd()) == file


def test_the_environment_stands_above_the_file_and_options_above_both(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths in them are from the working folder."""
    monkeypatch.setenv("TALLYSTICK_PARTY", "b")
    monkeypatch.setenv("TALLYSTICK_KEY", "here.pem")
    monkeypatch.setenv("TALLYSTICK_AUDITORS", "https://one.example, https://two.example")
    found = load()
    assert (found.party, found.key) == ("b", str(Path.cwd() / "here.pem"))
    assert found.auditors == ("https://one.example", "https://two.example")
    assert load(options={"party": "c"}).party == "c"


def test_a_profile_is_named_by_option_or_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of being looked for."""
    other = file.with_name("other.toml")
    other.write_text('party = "x"\n')
    assert load(other).party == "x"
    monkeypatch.setenv("TALLYSTICK_PROFILE", str(other))
    assert load().party == "x"
    assert load(file).party == "a"


def test_every_fault_is_said_with_the_place_that_says_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, environment and option."""
    file.write_text('prty = "a"\nzone = "8"\n')
    monkeypatch.setenv("TALLYSTICK_PARTY", "B C")
    words = fault(log="a b")
    assert f"{file}: prty is no field here" in words
    assert f"{file}: zone must be an offset from UTC like +08:00" in words
    assert "TALLYSTICK_PARTY must be a name of 1 to 63" in words
    assert "--log must be a log's origin" in words


@pytest.mark.parametrize(("text", "words"), [(b"party = [", "is not TOML"), (b"\xff", "byte 0 is not UTF-8")])
def test_what_is_no_profile_is_said_in_words(file: Path, text: bytes, words: str) -> None:
    """With the file."""
    file.write_bytes(text)
    assert str(file) in fault()
    assert words in fault()


def test_a_profile_that_others_can_write_is_not_believed(file: Path) -> None:
    """It may name a program that is run."""
    file.chmod(0o666)
    assert f"can be written by others: chmod go-w {file}" in fault()


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no profile"):
        load(tmp_path / "none.toml")


def test_a_written_profile_is_read_as_it_was_meant(tmp_path: Path) -> None:
    """And no other is overwritten."""
    file = tmp_path / NAME
    write(file, {"source": 'a "quoted" folder', "party": "a", "auditors": ["https://a.example"]})
    assert file.stat().st_mode & 0o027 == 0
    found = load(file)
    assert (found.source, found.auditors) == (str(tmp_path / 'a "quoted" folder'), ("https://a.example",))
    with pytest.raises(UsageError, match="exists already"):
        write(file, {"party": "b"})
    assert isinstance(found, Profile)


# ----------------------------------------------------------------------------------------------------------- init


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.found()
    return made


def test_init_writes_a_profile_that_works(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says its origin and zone, the key its party."""
    monkeypatch.chdir(tmp_path)
    out = done("init", "--source", desk.ledger, "--key", desk.key(f"{TREASURY}/desk"))
    assert out == f"{NAME}: {TREASURY} signs with {TREASURY}/desk for the log {ORIGIN}\n"
    found = load()
    assert (found.log, found.party, found.zone) == (ORIGIN, TREASURY, "+08:00")
    listed = ("do", "party.suspend", "--list", "subject", "--json")
    assert run(*listed).json["party"][0]["id"] == "acme-ai"
    assert "exists already" in failed("init", "--source", desk.ledger)


def test_init_believes_nothing_that_it_has_not_tried(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer is tried; nothing is written unless all are right."""
    monkeypatch.chdir(tmp_path)
    key = desk.key(f"{TREASURY}/desk")
    assert "no terminal to ask: give --source" in failed("init")
    assert "there is no folder" in failed("init", "--source", tmp_path / "none", "--key", key)
    assert failed("init", "--source", desk.ledger, "--key", tmp_path / "none.pem")
    strange = desk.key("acme-ai/strange")
    assert "doesn't know acme-ai/strange as a key of acme-ai" in failed(
        "init", "--source", desk.ledger, "--key", strange
    )
    assert [*tmp_path.iterdir()] == []
