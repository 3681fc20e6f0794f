package io.peftj.djl.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What of the machine's processor decides which library multiplies matrices best (docs/adr/0008).
 *
 * @param intel made by Intel, where libtorch's MKL has kernels of its maker's for
 * @param tiles multiplies bf16 in tiles (Intel's AMX)
 */
record Processor(boolean intel, boolean tiles) {
    /** Neither. */
    static final Processor OTHER = new Processor(false, false);

    private static final Path LINUX = Path.of("/proc/cpuinfo");

    /** This machine's. */
    static Processor here() {
        return of(Files.isReadable(LINUX) ? text() : System.getenv().getOrDefault("PROCESSOR_IDENTIFIER", ""));
    }

    /** By Linux's {@code /proc/cpuinfo} or Windows's {@code PROCESSOR_IDENTIFIER}. */
    static Processor of(String description) {
        return new Processor(description.contains("GenuineIntel"), description.contains("amx_bf16"));
    }

    private static String text() {
        try {
            return Files.readString(LINUX, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
