package io.peftj.examples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** How much memory the process has, the Java heap included, as Linux counts it in /proc/self/status. */
final class Rss {
    private Rss() {}

    /** MiB it has now; empty where the system does not tell. */
    static OptionalLong nowMib() {
        return read("VmRSS:");
    }

    /** The most MiB it ever had; empty where the system does not tell. */
    static OptionalLong peakMib() {
        return read("VmHWM:");
    }

    private static OptionalLong read(String key) {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith(key))
                    .mapToLong(line -> Math.round(Long.parseLong(line.replaceAll("\\D", "")) / 1024.0))
                    .findFirst();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }
}
