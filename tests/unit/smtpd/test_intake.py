"""Where content stays while it comes in."""

from backend.smtpd.intake import MEMORY_BYTES, Intake, clear_spool


async def test_a_small_message_never_touches_the_disk(tmp_path):
    intake = Intake(tmp_path, "a")
    await intake.add(b"x" * 1000)
    await intake.add(b"y")
    assert await intake.content() == b"x" * 1000 + b"y"
    assert list(tmp_path.iterdir()) == []


async def test_a_large_one_is_a_private_file_until_it_is_closed(tmp_path):
    intake = Intake(tmp_path, "a")
    whole = b""
    for i in range(40):
        piece = bytes([i]) * 50_000
        whole += piece
        await intake.add(piece)
    path = await intake.content()
    assert path.read_bytes() == whole
    assert path.stat().st_mode & 0o777 == 0o600
    intake.close()
    assert list(tmp_path.iterdir()) == []


async def test_dropping_frees_file_and_memory_and_closing_twice_is_fine(tmp_path):
    intake = Intake(tmp_path, "a")
    await intake.add(b"x" * (MEMORY_BYTES + 1))
    await intake.add(b"x")
    await intake.drop()
    assert list(tmp_path.iterdir()) == []
    intake.close()
    intake.close()


def test_what_a_crash_left_is_cleared_and_nothing_else(tmp_path):
    folder = tmp_path / "spool"
    assert clear_spool(folder) == 0
    (folder / "dead-1.eml").write_bytes(b"half")
    (folder / "deliveries").mkdir()
    assert clear_spool(folder) == 1
    assert [path.name for path in folder.iterdir()] == ["deliveries"]
