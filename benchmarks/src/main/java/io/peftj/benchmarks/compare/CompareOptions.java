package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What all comparisons have: the model, the cases, the two sides and where results go. */
final class CompareOptions {
    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "The model, a Hugging Face directory.")
    private Path model;

    @Option(
            names = "--methods",
            split = ",",
            paramLabel = "METHOD",
            description = "The methods, with commas between them (default: ${DEFAULT-VALUE}).")
    private List<String> methods;

    @Option(
            names = "--dtypes",
            split = ",",
            paramLabel = "TYPE",
            converter = DTypeName.class,
            description = "The number formats, with commas between them (default: ${DEFAULT-VALUE}).")
    private List<String> dtypes;

    @Option(
            names = "--rounds",
            defaultValue = "3",
            paramLabel = "N",
            converter = Count.class,
            description = "How many times each side does each case (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--threads",
            defaultValue = "2",
            paramLabel = "N",
            description = "Threads of a side (default: ${DEFAULT-VALUE}).")
    private int threads;

    @Option(
            names = "--jar",
            defaultValue = "peft-examples/target/peft.jar",
            paramLabel = "FILE",
            description = "Our side, the peft command line beside its libraries (default: ${DEFAULT-VALUE}).")
    private Path jar;

    @Option(
            names = "--java-options",
            split = ",",
            paramLabel = "OPTION",
            description =
                    "Options of the Java that our side runs on, with commas between them: --java-options=-Xmx64m.")
    private List<String> javaOptions = List.of();

    @Option(
            names = "--environment",
            paramLabel = "NAME=VALUE",
            description = "A variable of our side's environment, such as an allocator to load first:"
                    + " --environment=LD_PRELOAD=/usr/lib/libjemalloc.so.2. May be given several times.")
    private Map<String, String> environment = Map.of();

    @Option(
            names = "--peer",
            defaultValue = "${sys:peft.reference.dir:-../shared}/tools",
            paramLabel = "DIR",
            description = "The folder with the peer's scripts (default: ${DEFAULT-VALUE}).")
    private Path peer;

    @Option(
            names = "--python",
            defaultValue = "python3",
            paramLabel = "PROGRAM",
            description = "A Python that has torch, transformers and peft (default: ${DEFAULT-VALUE}).")
    private String python;

    @Option(
            names = "--out",
            defaultValue = "docs/benchmarks",
            paramLabel = "DIR",
            description = "Where the JSON file and the picture go (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "What they are called; the workload with the names of the model and the data if not given.")
    private @Nullable String name;

    @Option(names = "--no-floor", description = "Leave out the run that finds how long the frozen products take alone.")
    private boolean noFloor;

    /** What a workload is compared with if nothing is said. */
    CompareOptions(List<String> methods, List<String> dtypes) {
        this.methods = methods;
        this.dtypes = dtypes;
    }

    Path model() {
        return model;
    }

    int rounds() {
        return rounds;
    }

    /** Whether the frozen products are measured alone in a round. */
    boolean floor(int round) {
        return !noFloor && round == 1;
    }

    int threads() {
        return threads;
    }

    Path jar() {
        return jar;
    }

    Path peer() {
        return peer;
    }

    String python() {
        return python;
    }

    /** Every method in every format. */
    List<Case> cases() {
        return methods.stream()
                .distinct()
                .flatMap(method -> dtypes.stream().distinct().map(dtype -> new Case(method, dtype)))
                .toList();
    }

    /**
     * A file of the results.
     *
     * @param usualName what it is called if nothing is said
     * @param ending with its dot
     */
    Path result(String usualName, String ending) {
        return out.resolve((name == null ? usualName : name) + ending);
    }

    /** Our side's command line for a case. */
    Words ours(Workload workload, Case of) {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        return environment()
                .and(java)
                .and(javaOptions.toArray())
                .and("-jar", jar, "bench", workload.name(), "--model", model)
                .and("--method", of.method(), "--dtype", of.dtype(), "--threads", threads);
    }

    /** What sets our side's environment: words to stand before its program. */
    private Words environment() {
        Words words = environment.isEmpty() ? Words.of() : Words.of("env");
        for (Map.Entry<String, String> variable : environment.entrySet()) {
            words = words.and(variable.getKey() + "=" + variable.getValue());
        }
        return words;
    }

    /** A peer's script's command line for a case, but for the number format, which not all take. */
    Words peer(String script, Case of) {
        return script(script).and("--method", of.method(), "--threads", threads);
    }

    /** The beginning of a peer's script's command line. */
    Words script(String script) {
        return Words.of(python, peer.resolve(script));
    }

    /** The settings that all workloads have. */
    JsonObject settings(Workload workload) {
        JsonObject settings = new JsonObject();
        settings.addProperty("workload", workload.name());
        settings.addProperty("model", nameOf(model));
        settings.addProperty("threads", threads);
        if (!javaOptions.isEmpty()) {
            settings.addProperty("java_options", String.join(" ", javaOptions));
        }
        if (!environment.isEmpty()) {
            JsonObject ours = new JsonObject();
            // Files and pictures do not tell where things lie.
            environment.forEach(
                    (name, value) -> ours.addProperty(name, value.startsWith("/") ? nameOf(Path.of(value)) : value));
            settings.add("environment", ours);
        }
        return settings;
    }

    /** The last part of a path, which files and pictures may tell. */
    static String nameOf(Path path) {
        return String.valueOf(path.toAbsolutePath().normalize().getFileName());
    }

    /** A name of a file of these parts. */
    static String fileName(String... parts) {
        List<String> clean = new ArrayList<>();
        for (String part : parts) {
            clean.add(part.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.]+", "-"));
        }
        return String.join("-", clean);
    }

    /** 1, 2, … */
    private static final class Count implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            if (!text.matches("0*[1-9]\\d{0,8}")) {
                throw new TypeConversionException("expected a whole number of at least 1, found " + text);
            }
            return Integer.valueOf(text);
        }
    }

    /** The formats that both sides know. */
    private static final class DTypeName implements ITypeConverter<String> {
        @Override
        public String convert(String name) {
            if (!name.equals("float32") && !name.equals("bfloat16")) {
                throw new TypeConversionException("expected float32 or bfloat16, found " + name);
            }
            return name;
        }
    }
}
