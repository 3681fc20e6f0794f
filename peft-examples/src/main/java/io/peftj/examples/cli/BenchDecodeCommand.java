package io.peftj.examples.cli;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.engine.KernelProfile;
import io.peftj.djl.generate.Decoder;
import io.peftj.djl.generate.Prompt;
import io.peftj.djl.train.BackboneContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures generation in which every row has an adapter of its own. */
@Command(
        name = "decode",
        header = "Measures generation in which every row has an adapter of its own.",
        description =
                "Continues one batch of prompts of random tokens, greedily and with a cache, each row under an adapter of its"
                        + " own: new tokens a second, reading the prompts included, the better of two runs after those"
                        + " that warm up.")
final class BenchDecodeCommand implements Callable<Integer> {
    private static final String BASE = "base";
    private static final String MIXED = "mixed";

    /** The methods whose adapters take turns from row to row where they are mixed; the first rows have none. */
    private static final List<String> TURNS = List.of(BASE, "lora", "ia3", "pedro", "prefix", "loreft");

    /** The first ids of a vocabulary are special tokens. */
    private static final int FIRST_ID = 5;

    private static final int RUNS = 2;

    /** How far an adapter's values are from where training starts, so that none acts as nothing. */
    private static final double SPREAD = 0.02;

    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Mixin
    private ModelOptions model;

    @Option(
            names = "--method",
            completionCandidates = MethodOptions.Names.class,
            defaultValue = "lora",
            paramLabel = "METHOD",
            description = "What every row's adapter is: " + MethodOptions.NAMES
                    + "; base for none, or mixed, where rows take turns (default: ${DEFAULT-VALUE}).")
    private String method;

    @Mixin
    private MethodOptions methodOptions;

    @Option(
            names = {"--rows", "--tenants"},
            defaultValue = "8",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Rows, each with an adapter of its own (default: ${DEFAULT-VALUE}).")
    private int rows;

    @Option(
            names = "--prompt",
            defaultValue = "64",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Tokens of a prompt (default: ${DEFAULT-VALUE}).")
    private int prompt;

    @Option(
            names = "--new",
            defaultValue = "64",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "New tokens of a row (default: ${DEFAULT-VALUE}).")
    private int newTokens;

    @Option(
            names = "--warm-ups",
            defaultValue = "1",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description =
                    "Runs before those that count: Java compiles what it runs often, over some hundred passes (default: ${DEFAULT-VALUE}).")
    private int warmUps;

    @Mixin
    private final Profiling profiling = new Profiling();

    BenchDecodeCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        if (method.equals(BASE) || method.equals(MIXED)) {
            methodOptions.refuseAll(method);
        }
        List<String> methods = IntStream.range(0, rows).mapToObj(this::methodOf).toList();
        Map<String, AdapterConfig> configs = new TreeMap<>();
        methods.stream()
                .filter(name -> !name.equals(BASE))
                .forEach(name -> configs.computeIfAbsent(name, methodOptions::config));
        try (Backbone base = model.openToMeasure(opener);
                Adapters adapters = new Adapters()) {
            OptionalLong loaded = Rss.loadedMib();
            List<Prompt> prompts = new ArrayList<>();
            CounterRandom random = CounterRandom.of(0);
            for (int row = 0; row < rows; row++) {
                AdapterConfig config = configs.get(methods.get(row));
                Prompt plain = Prompt.of(newTokens, ids(base, random));
                prompts.add(config == null ? plain : plain.under(adapters.open(base, config, row)));
            }
            print(loaded, base, prompts);
        }
        return 0;
    }

    private String methodOf(int row) {
        return method.equals(MIXED) ? TURNS.get(row % TURNS.size()) : method;
    }

    private int[] ids(Backbone base, CounterRandom random) {
        int vocabulary = base.spec().vocabulary();
        return IntStream.range(0, prompt)
                .map(token -> FIRST_ID + random.nextInt(vocabulary - FIRST_ID))
                .toArray();
    }

    private void print(OptionalLong loaded, Backbone base, List<Prompt> prompts) {
        for (int warmUp = 1; warmUp <= warmUps; warmUp++) {
            run(base, prompts, "warm-up " + warmUp);
        }
        Optional<KernelProfile> kernels = profiling.start(base.backend());
        double[] seconds = IntStream.rangeClosed(1, RUNS)
                .mapToDouble(run -> run(base, prompts, "run " + run))
                .toArray();
        kernels.ifPresent(KernelProfile::close);
        double best = Arrays.stream(seconds).min().orElseThrow();
        JsonLine line = new JsonLine()
                .put("side", "peftj")
                .put("threads", model.measuredThreads())
                .put("workload", "decode")
                .put("method", method)
                .put("rss_loaded_mib", loaded)
                .put("tenants", rows)
                .put("prompt", prompt)
                .put("new", newTokens)
                .put("dtype", model.dtypeName())
                .putRounded("seconds", best, 3)
                .putRounded("tokens_per_s", rows * newTokens / best, 1)
                .put("peak_rss_mib", Rss.peakMib());
        int passes = RUNS * newTokens;
        kernels.ifPresent(counted -> profiling.report(
                counted, base.backend(), passes, Arrays.stream(seconds).sum() / passes, 1, line));
        line.print(command.commandLine().getOut());
    }

    private double run(Backbone base, List<Prompt> prompts, String what) {
        long began = System.nanoTime();
        Decoder.on(base).endingAt(List.of()).decode(prompts);
        double took = (System.nanoTime() - began) / 1e9;
        command.commandLine().getErr().printf("%s: %.3f s%n", what, took);
        command.commandLine().getErr().flush();
        return took;
    }

    /** The rows' adapters, with values that act. */
    private static final class Adapters implements AutoCloseable {
        private final List<ResidentAdapter> open = new ArrayList<>();

        ResidentAdapter open(Backbone base, AdapterConfig method, int row) {
            AdapterConfig config = AdapterMethods.complete(base.spec(), method.withTaskType(TaskType.CAUSAL_LM));
            AdapterPlan plan = AdapterMethods.plan(base.spec(), config);
            Map<String, HostTensor> values =
                    new TreeMap<>(plan.initialise(new BackboneContext(base, base.spec(), row)));
            values.replaceAll((name, start) -> moved(start, CounterRandom.key(row, name)));
            ResidentAdapter adapter = ResidentAdapter.load(base, "t" + row, plan, values);
            open.add(adapter);
            return adapter;
        }

        private static HostTensor moved(HostTensor start, long key) {
            float[] values = start.values().clone();
            CounterRandom random = CounterRandom.of(key);
            for (int i = 0; i < values.length; i++) {
                values[i] += (float) (SPREAD * random.nextGaussian());
            }
            return HostTensor.of(start.shape(), values);
        }

        @Override
        public void close() {
            open.forEach(ResidentAdapter::close);
        }
    }
}
