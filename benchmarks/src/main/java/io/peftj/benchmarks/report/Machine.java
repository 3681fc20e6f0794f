package io.peftj.benchmarks.report;

import com.google.gson.JsonObject;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where something was measured.
 *
 * @param processor its model
 * @param cores how many the system shows
 * @param memoryGib of the whole machine
 * @param system name and version
 * @param jdk name and version
 */
public record Machine(String processor, int cores, long memoryGib, String system, String jdk) {
    private static final Path CPU = Path.of("/proc/cpuinfo");

    /** The one this runs on. */
    public static Machine here() {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        return new Machine(
                processorModel(),
                Runtime.getRuntime().availableProcessors(),
                Math.round(system.getTotalMemorySize() / (double) (1L << 30)),
                System.getProperty("os.name") + " " + version(System.getProperty("os.version")),
                System.getProperty("java.vm.name") + " " + Runtime.version());
    }

    /** Its first two numbers: what follows says who built a kernel, not what it does. */
    private static String version(String whole) {
        return whole.replaceFirst("^(\\d+\\.\\d+).*", "$1");
    }

    private static String processorModel() {
        String architecture = System.getProperty("os.arch");
        if (!Files.isReadable(CPU)) {
            return System.getenv().getOrDefault("PROCESSOR_IDENTIFIER", architecture);
        }
        try (var lines = Files.lines(CPU)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(architecture);
        } catch (IOException e) {
            return architecture;
        }
    }

    /** In a line. */
    public String title() {
        return processor + ", " + cores + (cores == 1 ? " core, " : " cores, ") + memoryGib + " GiB, " + system + ", "
                + jdk;
    }

    /** As files have it. */
    public JsonObject json() {
        JsonObject json = new JsonObject();
        json.addProperty("processor", processor);
        json.addProperty("cores", cores);
        json.addProperty("memory_gib", memoryGib);
        json.addProperty("system", system);
        json.addProperty("jdk", jdk);
        return json;
    }
}
