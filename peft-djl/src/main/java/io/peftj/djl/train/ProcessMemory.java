package io.peftj.djl.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** How much memory the process has, the Java heap included, as Linux counts it in /proc/self/status. */
public final class ProcessMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private ProcessMemory() {}

    /** Bytes it has now; empty where the system does not tell. */
    public static OptionalLong residentBytes() {
        return read("VmRSS:");
    }

    /** The most bytes it ever had; empty where the system does not tell. */
    public static OptionalLong peakResidentBytes() {
        return read("VmHWM:");
    }

    private static OptionalLong read(String key) {
        try {
            return Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith(key))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024) // given in kB
                    .findFirst();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }
}
