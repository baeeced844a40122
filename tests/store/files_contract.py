"""The contract `bridge.log.Files`, as a suite that every engine passes."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.log import Digest, Files
from tests.support.nouns import stopped_at

PIECES = [b"hello ", bytearray(b"world"), memoryview(b"!"), b"", b"\0" * 100_000]
WHOLE = b"".join(PIECES)


class FilesContract:
    """What a store for bytes promises, whichever it is."""

    def engine(self, folder: Path) -> Files:
        raise NotImplementedError

    async def close(self, files: Files) -> None:
        """Wait until nothing is being done any more."""
        raise NotImplementedError

    @pytest.fixture
    async def files(self, tmp_path: Path) -> AsyncIterator[Files]:
        files = self.engine(tmp_path)
        yield files
        await self.close(files)

    @staticmethod
    def kept(folder: Path) -> list[Path]:
        return sorted(path for path in folder.rglob("*") if not path.is_dir())

    async def test_a_committed_file_is_whole_and_its_digest_right(self, files: Files, tmp_path: Path) -> None:
        part = await files.create()
        for piece in PIECES:
            await part.write(piece)
        assert not files.path(part.id).exists()
        digest = await part.commit()
        assert (digest.size, digest.sha256) == (len(WHOLE), hashlib.sha256(WHOLE).hexdigest())
        assert files.path(part.id).read_bytes() == WHOLE
        assert self.kept(tmp_path) == [files.path(part.id)]

    async def test_an_empty_file_is_a_file(self, files: Files) -> None:
        part = await files.create()
        assert await part.commit() == Digest(0, hashlib.sha256().hexdigest())
        assert files.path(part.id).read_bytes() == b""

    async def test_a_committed_file_outlives_its_server(self, files: Files, tmp_path: Path) -> None:
        part = await files.create()
        await part.write(WHOLE)
        await part.commit()
        await self.close(files)
        again = self.engine(tmp_path)
        assert again.path(part.id).read_bytes() == WHOLE
        await self.close(again)

    async def test_aborting_leaves_nothing_and_may_be_repeated(self, files: Files, tmp_path: Path) -> None:
        part = await files.create()
        await part.write(WHOLE)
        for _ in range(3):
            await part.abort()
            assert self.kept(tmp_path) == []

    async def test_aborting_after_the_commit_harms_nothing(self, files: Files) -> None:
        part = await files.create()
        await part.write(WHOLE)
        await part.commit()
        await part.abort()
        assert files.path(part.id).read_bytes() == WHOLE

    async def test_aborting_while_a_write_runs_leaves_nothing(self, files: Files, tmp_path: Path) -> None:
        part = await files.create()
        writing = asyncio.create_task(part.write(b"x" * 30_000_000))
        await asyncio.sleep(0)
        await part.abort()
        await asyncio.gather(writing, return_exceptions=True)
        assert self.kept(tmp_path) == []

    @pytest.mark.parametrize("step", range(12))
    async def test_a_caller_cancelled_anywhere_leaves_nothing_once_it_aborts(
        self, files: Files, tmp_path: Path, step: int
    ) -> None:
        async def keep() -> None:
            part = await files.create()
            try:
                await part.write(WHOLE)
                await part.write(WHOLE)
                await part.commit()
            except BaseException:
                await part.abort()
                await files.remove(part.id)
                raise

        cancelled = await stopped_at(keep(), step)
        await self.close(files)
        assert len(self.kept(tmp_path)) == (0 if cancelled else 1)

    async def test_a_removed_file_is_gone_and_may_be_removed_again(self, files: Files, tmp_path: Path) -> None:
        part = await files.create()
        await part.commit()
        await files.remove(part.id)
        await files.remove(part.id)
        assert self.kept(tmp_path) == []

    async def test_a_file_that_was_let_go_is_removed_by_the_time_the_store_is_closed(
        self, files: Files, tmp_path: Path
    ) -> None:
        """Who is reading it may finish."""
        part = await files.create()
        await part.write(WHOLE)
        await part.commit()
        with files.path(part.id).open("rb") as reading:
            files.let_go(part.id)
            files.let_go("of which there is nothing")
            await self.close(files)
            assert self.kept(tmp_path) == []
            assert reading.read() == WHOLE

    async def test_the_same_bytes_at_once_are_files_of_their_own(self, files: Files, tmp_path: Path) -> None:
        async def keep(number: int) -> tuple[str, str]:
            part = await files.create()
            for piece in PIECES:
                await part.write(piece)
            await part.write(b"%d" % (number % 2))
            return part.id, (await part.commit()).sha256

        kept = await asyncio.gather(*(keep(number) for number in range(50)))
        assert len({id for id, _ in kept}) == 50
        assert len(self.kept(tmp_path)) == 50
        for number, (id, sha256) in enumerate(kept):
            assert files.path(id).read_bytes() == WHOLE + b"%d" % (number % 2)
            assert sha256 == hashlib.sha256(WHOLE + b"%d" % (number % 2)).hexdigest()

    async def test_files_that_share_their_bytes_last_as_long_as_one_of_them(self, files: Files, tmp_path: Path) -> None:
        ids = []
        for _ in range(3):
            part = await files.create()
            await part.write(WHOLE)
            await part.commit()
            ids.append(part.id)
        with files.path(ids[1]).open("rb") as reading:  # it notices nothing
            for id in ids[1:]:
                files.share(id, ids[0])
            await self.close(files)
            assert reading.read() == WHOLE
        files = self.engine(tmp_path)
        assert [files.path(id).read_bytes() for id in ids] == [WHOLE] * 3
        for gone, left in ((0, [1, 2]), (2, [1])):
            await files.remove(ids[gone])
            assert not files.path(ids[gone]).exists()
            assert [files.path(ids[number]).read_bytes() for number in left] == [WHOLE] * len(left)
        await files.remove(ids[1])
        assert self.kept(tmp_path) == []
        await self.close(files)

    async def test_sharing_with_what_is_gone_or_of_what_is_gone_changes_nothing(
        self, files: Files, tmp_path: Path
    ) -> None:
        part = await files.create()
        await part.write(WHOLE)
        await part.commit()
        files.share(part.id, "0" * 32)
        files.share("0" * 32, part.id)
        await self.close(files)
        assert self.kept(tmp_path) == [files.path(part.id)]
        assert files.path(part.id).read_bytes() == WHOLE

    async def test_ids_are_random_and_say_nothing(self, files: Files) -> None:
        parts = [await files.create() for _ in range(20)]
        assert len({part.id for part in parts}) == 20
        assert all(re.fullmatch("[0-9a-f]{32}", part.id) for part in parts)  # 128 bits
        for part in parts:
            await part.abort()
