"""Codes that only their address can have received."""

from __future__ import annotations

import re

from bridge.policy import Codes

ADDR = "192.168.1.37:5000"


def test_a_code_is_eight_letters_that_anybody_can_type() -> None:
    code = Codes().made(ADDR, 1000.0)
    assert re.fullmatch("[A-Z2-7]{8}", code)


def test_a_code_is_good_for_its_minute_and_the_next() -> None:
    codes = Codes()
    good = [codes.fits(ADDR, codes.made(ADDR, 600.0), 600.0 + after) for after in (0.0, 59.9, 60.0, 119.9, 120.0)]
    assert good == [True, True, True, True, False]
    assert codes.fits(ADDR, codes.made(ADDR, 659.9), 659.9 + 60.0), "60 seconds at least"


def test_a_code_belongs_to_its_address() -> None:
    codes = Codes()
    others = "192.168.1.37:5001", "192.168.1.38:5000", ""
    assert not any(codes.fits(other, codes.made(ADDR, 600.0), 600.0) for other in others)


def test_another_run_of_the_server_has_other_codes() -> None:
    assert not Codes().fits(ADDR, Codes().made(ADDR, 600.0), 600.0)


def test_what_is_no_code_fits_nothing() -> None:
    assert not any(Codes().fits(ADDR, code, 600.0) for code in ("", "AAAAAAAA", "ü", "\ud800", "A" * 1000))


def test_small_letters_do_too() -> None:
    codes = Codes()
    assert codes.fits(ADDR, codes.made(ADDR, 600.0).lower(), 600.0)
