package io.peftj.examples.prefixlimits;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.backbone.ModelExport;
import io.peftj.djl.backbone.Options;
import io.peftj.examples.prefixlimits.Tuned.Recipe;
import io.peftj.methods.full.FullConfig;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prefix.PrefixConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Two experiments of "When Do Prompting and Prefix-Tuning Work?" (arXiv 2310.19698), from nothing.
 *
 * <p>Usage: {@code PrefixLimits} for the first, minutes; {@code PrefixLimits histogram --folder DIR} for the other, much longer; {@code --help} lists
 * the rest.
 *
 * <ul>
 *   <li>A model of one layer with one head learns to sort ten digits upwards. A prefix of one vector cannot turn that into sorting downwards, full
 *       fine-tuning can.
 *   <li>A model of four layers with four heads learns to sort both ways and to add one or two, without being told which. A prefix can tell it
 *       which; by the paper it cannot teach it the double histogram, which a LoRA of rank 1 on all but queries, keys and values, as many
 *       parameters, can. The sizes are the authors', and so are LoRA's steps and its rate of 5e-3. Unlike theirs, digits are drawn uniformly, added to
 *       modulo 8, and rates decline.
 * </ul>
 *
 * <p>The start token stands where the prefix of one vector will: digits keep the positions they were learnt at.
 */
@Command(
        name = "PrefixLimits",
        description =
                "Trains a small model from nothing, and measures what a prefix can make of it and what it cannot.")
public final class PrefixLimits implements Callable<Integer> {
    private static final int VOCABULARY = Task.DIGITS + 1;
    private static final long SEED = 1;

    /** As many parameters as the LoRA of rank 1: 6 · 4 · 2 · 256. */
    private static final int VECTORS = 6;

    private static final double[] PREFIX_RATES = {1e-3, 1e-2, 1e-1};
    private static final double[] LORA_RATES = {1e-3, 5e-3};

    /** What is trained, named as on the command line. */
    private enum Experiment {
        sorting,
        histogram
    }

    @Parameters(
            arity = "0..1",
            paramLabel = "EXPERIMENT",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Experiment experiment = Experiment.sorting;

    @Option(
            names = "--folder",
            paramLabel = "DIR",
            description =
                    "Keeps the model that is trained first, and goes on from the one it kept; a temporary folder if not"
                            + " given.")
    private @Nullable Path folder;

    @Option(
            names = "--only",
            defaultValue = "",
            paramLabel = "TEXT",
            description = "Leave out what has not this in its line, so that several processes share the work.")
    private String only;

    @Option(
            names = "--device",
            defaultValue = "cpu",
            paramLabel = "DEVICE",
            description = "cpu, or cuda:0 and the like (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(
            names = "--threads",
            defaultValue = "1",
            paramLabel = "N",
            description = "Threads of one operation (default: ${DEFAULT-VALUE}).")
    private int threads;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help message and exit.")
    @SuppressWarnings("UnusedVariable") // picocli's
    private boolean help;

    /** Runs an experiment. */
    public static void main(String... args) {
        System.exit(new CommandLine(new PrefixLimits()).execute(args));
    }

    @Override
    public Integer call() throws IOException {
        if (folder == null) {
            folder = Files.createTempDirectory("prefix-limits");
        }
        switch (experiment) {
            case sorting -> sorting(folder.resolve("sorting"));
            case histogram -> histogram(folder.resolve("histogram"));
        }
        return 0;
    }

    private void sorting(Path kept) {
        TinyGpt gpt = new TinyGpt(1, 1, 96, VOCABULARY, 1 + 2 * Tuned.LENGTH);
        Recipe upwards = new Recipe(FullConfig.ofTask(), List.of(Task.ASCENDING), 1, 5_000, 1e-3);
        try (Backbone base = learnt(kept, gpt, upwards)) {
            report("the model", Task.ASCENDING, Tuned.accuracy(base, null, Task.ASCENDING, 1));
            report("the model", Task.DESCENDING, Tuned.accuracy(base, null, Task.DESCENDING, 1));
            for (double rate : PREFIX_RATES) {
                tune(base, "a prefix of 1 vector", prefix(1), Task.DESCENDING, 0, 5_000, rate);
            }
            tune(base, "full fine-tuning", FullConfig.ofTask(), Task.DESCENDING, 1, 5_000, 1e-3);
        }
    }

    private void histogram(Path kept) {
        List<Task> known = List.of(Task.ASCENDING, Task.DESCENDING, Task.ADD_ONE, Task.ADD_TWO);
        TinyGpt gpt = new TinyGpt(4, 4, 256, VOCABULARY, VECTORS + 2 * Tuned.LENGTH);
        Recipe all = new Recipe(FullConfig.ofTask(), known, VECTORS, 10_000, 1e-3);
        try (Backbone base = learnt(kept, gpt, all)) {
            for (Task task : known) {
                report("the model", task, Tuned.accuracy(base, null, task, VECTORS));
            }
            for (Task task : known) {
                tune(base, "a prefix of 6 vectors", prefix(VECTORS), task, 0, 2_000, 1e-2);
            }
            for (double rate : PREFIX_RATES) {
                tune(base, "a prefix of 6 vectors", prefix(VECTORS), Task.DOUBLE_HISTOGRAM, 0, 10_000, rate);
            }
            LoraConfig lora = LoraConfig.builder()
                    .rank(1)
                    .alpha(1)
                    .targets("attn.c_proj", "mlp.c_fc", "mlp.c_proj")
                    .build();
            for (double rate : LORA_RATES) {
                tune(base, "LoRA of rank 1", lora, Task.DOUBLE_HISTOGRAM, VECTORS, 10_000, rate);
            }
        }
    }

    /** The model after its training, from the folder if that has it. */
    private Backbone learnt(Path kept, TinyGpt gpt, Recipe recipe) {
        Options options = Options.onDevice(device).threads(threads);
        if (!Files.exists(kept)) {
            Path blank = gpt.write(kept.resolveSibling(kept.getFileName() + "-blank"), SEED);
            try (Backbone fresh = Backbones.load(blank, options);
                    ResidentAdapter trained = Tuned.train(fresh, "the model", recipe, SEED);
                    Backbone merged = fresh.merged(trained, null)) {
                ModelExport.of(blank).write(merged, kept);
            }
        }
        return Backbones.load(kept, options);
    }

    private static PrefixConfig prefix(int vectors) {
        return PrefixConfig.builder().virtualTokens(vectors).build();
    }

    private void tune(
            Backbone base, String method, AdapterConfig config, Task task, int starts, int steps, double rate) {
        String name = method + ", rate " + rate;
        if (!line(name, task).contains(only)) {
            return;
        }
        Recipe recipe = new Recipe(config, List.of(task), starts, steps, rate);
        try (ResidentAdapter adapter = Tuned.train(base, name, recipe, SEED)) {
            report(name, task, Tuned.accuracy(base, adapter, task, starts));
        }
    }

    private static void report(String who, Task task, double accuracy) {
        System.out.printf(Locale.ROOT, "%s %5.1f %%%n", line(who, task), 100 * accuracy);
    }

    private static String line(String who, Task task) {
        return "%-36s %-18s".formatted(who, task);
    }
}
