package io.peftj.djl.train;

import io.peftj.core.Library;
import io.peftj.core.tensor.BackendInfo;
import io.peftj.djl.backbone.Backbone;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** What a run is computed by, by name. */
final class Environment {
    private static final Path LINUX_PROCESSORS = Path.of("/proc/cpuinfo");

    private Environment() {}

    static Map<String, String> of(Backbone base) {
        BackendInfo backend = base.backend().info();
        Map<String, String> environment = new LinkedHashMap<>();
        environment.put("library", Library.version());
        environment.put("base", new Digest().add(base.fingerprint().encode()).hex());
        environment.put("engine", backend.engine());
        environment.put("device", backend.device());
        environment.put("dtype", base.dtype().name());
        environment.put("threads", Integer.toString(backend.threads()));
        environment.put("processor", processor());
        environment.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        environment.put("java", System.getProperty("java.vm.name") + " " + System.getProperty("java.version"));
        return environment;
    }

    private static String processor() {
        return linuxName()
                .or(() -> Optional.ofNullable(System.getenv("PROCESSOR_IDENTIFIER"))) // Windows has it
                .orElseGet(() -> System.getProperty("os.arch"));
    }

    private static Optional<String> linuxName() {
        if (!Files.isReadable(LINUX_PROCESSORS)) {
            return Optional.empty();
        }
        try {
            return Files.readAllLines(LINUX_PROCESSORS).stream()
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty(); // it is only shown
        }
    }
}
