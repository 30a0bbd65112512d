"""Why a usage record isn't burned, and why a file isn't read at all: two closed lists."""

from tallystick.coded_enum import CodedEnum


class SkipReason(CodedEnum):
    """Why a record of a file is counted and not burned."""

    STEP = ("step", "a step of a job, whose time is the job's already")
    NOT_STARTED = ("not_started", "it never started")
    STILL_RUNNING = ("still_running", "it has no end yet")
    NO_GPU = ("no_gpu", "it held no GPU")
    ZERO_SECONDS = ("zero_seconds", "it held its GPUs for less than a second")
    DUPLICATE = ("duplicate", "the same record stands elsewhere")
    SUPERSEDED = ("superseded", "another record knows more of the same run")
    CONFLICT = ("conflict", "another record says otherwise of the same run")
    ACCOUNT_UNMAPPED = ("account_unmapped", "the mapping has no contract for its account")
    ITEM_UNMAPPED = ("item_unmapped", "the mapping has no item for a kind of GPU that it held")
    UNTYPED_GPU = ("untyped_gpu", "it doesn't say which kind of GPU it held")
    FREE_STATE = ("free_state", "the mapping says that jobs that end like this, or at that time, are free")
    TIME_AMBIGUOUS = ("time_ambiguous", "its wall times fit two readings, since the clock was set back then")
    INTERVAL_INVALID = ("interval_invalid", "its end is before its start")
    NOT_A_NUMBER = ("not_a_number", "a quantity that is needed isn't a number")
    UNREADABLE = ("unreadable", "the record can't be read, or in two ways")
    IDLE = ("idle", "capacity that nobody used")
    UNMOUNTED = ("unmounted", "storage that nothing had mounted")
    SHARED = ("shared", "a cost of the cluster that is shared among all")
    NOT_USAGE = ("not_usage", "a charge of another kind: a purchase, a tax, a credit")
    COMMITMENT_UNUSED = ("commitment_unused", "the unused part of a commitment")
    CORRECTION = ("correction", "it corrects a closed period: a person decides")
    EXCEEDS_PERIOD = ("exceeds_period", "the rows of a period are longer than the period: a doubled delivery")
    NO_POD = ("no_pod", "the series doesn't say which pod held the device")
    AGGREGATE = ("aggregate", "a sum of other rows")
    OUTSIDE_WINDOW = ("outside_window", "it lies outside the time that was asked for")
    ALREADY_BURNED = ("already_burned", "the log has it already")


class FileFault(CodedEnum):
    """Why a file as a whole isn't read."""

    COLUMN_MISSING = ("column_missing", "a column that is needed is missing")
    COLUMN_TWICE = ("column_twice", "two columns have one heading")
    NOT_PARSABLE_OUTPUT = ("not_parsable_output", "it isn't what the format's program prints for other programs")
    ENCODING_UNKNOWN = ("encoding_unknown", "its text is in none of the encodings that are read")
    HEADING_MISSING = ("heading_missing", "the line with the columns' headings is missing")
    HEADING_CHANGES = ("heading_changes", "further down it has other columns")
    CLUSTER_UNKNOWN = ("cluster_unknown", "neither the file nor the mapping names the cluster")
    ZONE_MISSING = ("zone_missing", "it has wall times, and the mapping doesn't say in which zone")
    STEP_MISSING = ("step_missing", "it has samples, and the mapping doesn't say how many seconds each stands for")
    TOO_LARGE = ("too_large", "a record or a part of it is larger than what is read")
