package io.peftj.examples.cli;

import io.peftj.djl.train.ProcessMemory;
import java.util.OptionalLong;

/** The process's memory in the unit of the measurements. */
final class Rss {
    private Rss() {}

    /** MiB it has now; empty where the system does not tell. */
    static OptionalLong nowMib() {
        return mib(ProcessMemory.residentBytes());
    }

    /** The most MiB it ever had; empty where the system does not tell. */
    static OptionalLong peakMib() {
        return mib(ProcessMemory.peakResidentBytes());
    }

    private static OptionalLong mib(OptionalLong bytes) {
        return bytes.isPresent() ? OptionalLong.of(Math.round(bytes.getAsLong() / (double) (1 << 20))) : bytes;
    }
}
