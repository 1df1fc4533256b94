"""Calendar of a local time given in milliseconds; pure, for file names and hours of the day."""

DAY_MS = 86_400_000


def hour_of_day(local_ms: int) -> int:
    """0 to 23."""
    return local_ms % DAY_MS // 3_600_000


def file_stamp(local_ms: int) -> str:
    """``yyyyMMddHHmmssSSS``. Source: UtilAll.java, timeMillisToHumanString(), 5.3.3."""
    days, ms = divmod(local_ms, DAY_MS)
    # Civil calendar from days since 1970, counted in eras of 400 years that begin on 1 March.
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * from_march + 2) // 5 + 1
    month = from_march + 3 if from_march < 10 else from_march - 9
    year = era * 400 + year_of_era + (month <= 2)
    seconds, millis = divmod(ms, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{year:04d}{month:02d}{day:02d}{hour:02d}{minute:02d}{second:02d}{millis:03d}"
