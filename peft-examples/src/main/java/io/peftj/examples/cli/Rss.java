package io.peftj.examples.cli;

import io.peftj.djl.train.ProcessMemory;
import java.util.OptionalLong;

/** The process's memory in the unit of the measurements. */
final class Rss {
    private Rss() {}

    /** MiB it has now; empty where the system does not tell. */
    private static OptionalLong nowMib() {
        return mib(ProcessMemory.residentBytes());
    }

    /** MiB it has after a model was opened, once the file's mapping is gone, which the system takes back a moment after nobody can read it any more. */
    static OptionalLong loadedMib() {
        try {
            Thread.sleep(300);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return nowMib();
    }

    /** The most MiB it ever had; empty where the system does not tell. */
    static OptionalLong peakMib() {
        return mib(ProcessMemory.peakResidentBytes());
    }

    private static OptionalLong mib(OptionalLong bytes) {
        return bytes.isPresent() ? OptionalLong.of(Math.round(bytes.getAsLong() / (double) (1 << 20))) : bytes;
    }
}
