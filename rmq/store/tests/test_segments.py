import pytest

from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.net.memory_disk import MemoryDisk, MemoryMappedFile
from rmq.store.segments import CUT_STEP, Holds, Segments
from rmq.store.tests.stores import a_disk, write_file


def some(disk: MemoryDisk, files: int = 3, holds: Holds | None = None) -> Segments:
    segments = Segments(disk, "/log", 100, holds or Holds())
    segments.start_at(250)
    for _ in range(files):
        segments.grow()
    return segments


def names(disk: MemoryDisk) -> list[str]:
    return [entry.name for entry in disk.entries("/log")]


def test_files_follow_each_other_and_are_named_by_their_start() -> None:
    disk = a_disk()

    segments = some(disk)

    assert names(disk) == [f"{start:020d}" for start in (200, 300, 400)]
    assert (segments.begin, segments.end) == (200, 500)
    loaded = Segments(disk, "/log", 100, Holds())
    loaded.load()
    assert (loaded.begin, loaded.end) == (200, 500)
    assert loaded.file(399).path == "/log/00000000000000000300"
    with pytest.raises(AssertionError, match="outside"):
        loaded.file(500)


def test_empty_last_file_is_deleted_and_folders_are_ignored() -> None:
    disk = a_disk()
    some(disk)
    disk.replace("/log/00000000000000000500", b"")
    disk.replace("/log/folder/x", b"1")

    loaded = Segments(disk, "/log", 100, Holds())
    loaded.load()

    assert loaded.end == 500
    assert "00000000000000000500" not in names(disk)


@pytest.mark.parametrize(
    ("name", "size", "text"),
    [
        ("00000000000000000500", 99, "has 99 bytes, configured are 100"),
        ("notes", 100, "not named by 20 digits"),
        ("00000000000000000600", 100, "expected a file named 00000000000000000500"),
        ("00000000000000000010", 100, "expected a file named 00000000000000000000"),
    ],
)
def test_file_that_does_not_belong_is_refused(name: str, size: int, text: str) -> None:
    disk = a_disk()
    some(disk)
    write_file(disk, f"/log/{name}", b"x" * size)

    with pytest.raises(StoreError, match=text):
        Segments(disk, "/log", 100, Holds()).load()


def test_file_that_cannot_be_made_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = a_disk()
    segments = some(disk)

    def refuse(path: str, size: int) -> None:
        raise OSError(28, f"No space left on device: {path} {size}")

    monkeypatch.setattr(disk, "map", refuse)

    with pytest.raises(OSError, match="No space"):
        segments.grow()

    assert segments.end == 500


def test_files_are_deleted_from_both_ends() -> None:
    disk = a_disk()
    segments = some(disk, 5)

    assert segments.delete_first() == "/log/00000000000000000200"
    segments.delete_from(450)

    assert (segments.begin, segments.end) == (300, 500)
    assert names(disk) == [f"{start:020d}" for start in (300, 400)]
    segments.delete_from(0)
    assert segments.end == segments.begin


def test_clearing_stops_where_it_is_quiet() -> None:
    segments = some(a_disk())
    memory = segments.file(300).memory
    memory[:] = b"x" * 50 + bytes(30) + b"y" * 20

    segments.clear(320, 10)
    assert memory[:] == b"x" * 20 + bytes(60) + b"y" * 20
    segments.clear(380, 100)
    segments.clear(300, 100)

    assert memory[:] == bytes(100)


def test_files_held_by_a_sync_are_closed_after_it() -> None:
    holds = Holds()
    segments = some(a_disk(), 2, holds)
    files = segments.mapped(200, 400)
    assert len(files) == 2
    holds.hold(files)
    holds.hold(files[:1])

    segments.close()
    segments.unmap(900)

    assert [len(file.memory) for file in files] == [100, 100]
    holds.release(files)
    assert len(files[0].memory) == 100
    holds.release(files[:1])
    for file in files:
        with pytest.raises(AssertionError, match="closed"):
            assert file.memory


def test_unmapped_file_is_mapped_again_when_read() -> None:
    segments = some(a_disk())
    segments.file(300).reserve(100)
    segments.file(300).memory[5:8] = b"abc"

    segments.unmap(300)
    segments.unmap(300)

    assert segments.mapped(300, 400) == ()
    assert segments.read(305, 3) == b"abc"


def test_what_was_cut_does_not_come_back() -> None:
    disk = a_disk()
    segments = some(disk, files=4)
    for start in (200, 300, 400):
        segments.file(start).reserve(100)
        segments.file(start).memory[:] = b"x" * 100
        segments.file(start).sync()
    unmade = disk.crash()  # a disk that forgets which files were deleted

    segments.cut(250)

    assert names(disk) == ["00000000000000000200"]
    assert disk.crash().read("/log/00000000000000000200") == b"x" * 50 + bytes(50)
    assert names(unmade)[-1] == "00000000000000000500"
    segments.cut(200)
    assert names(disk) == []


def test_files_that_are_cut_off_have_no_beginning_even_if_they_are_not_deleted() -> None:
    class Forgetful(MemoryDisk):
        def delete(self, path: str) -> None:
            """Do nothing: as if the power went before the folder was written."""

    disk = Forgetful(ManualClock())
    segments = some(disk)
    for start in (300, 400):
        segments.file(start).reserve(100)
        segments.file(start).memory[:] = b"x" * 100
        segments.file(start).sync()

    segments.cut(300)

    after = disk.crash()
    for start in (300, 400):
        assert not (after.read(f"/log/{start:020d}") or b"").strip(b"\0")


def test_cut_zeroes_step_by_step_from_the_end() -> None:
    class Counting(MemoryDisk):
        def map(self, path: str, size: int) -> MemoryMappedFile:
            file = super().map(path, size)
            sync = file.sync

            def counted() -> None:
                synced.append(len(file.memory[:].rstrip(b"\0")))
                sync()

            file.sync = counted  # type: ignore[method-assign]  # to see what each sync writes
            return file

    synced: list[int] = []
    size = 2 * CUT_STEP + 100
    segments = Segments(Counting(ManualClock()), "/log", size, Holds())
    segments.grow()
    segments.file(0).reserve(size)
    segments.file(0).memory[:] = b"x" * size

    segments.cut(50)
    segments.cut(49)
    segments.cut(49)

    assert synced == [2 * CUT_STEP + 50, CUT_STEP + 50, 50, 49]
