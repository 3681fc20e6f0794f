package io.peftj.examples.prefixlimits;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
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

/**
 * Two experiments of "When Do Prompting and Prefix-Tuning Work?" (arXiv 2310.19698), from nothing.
 *
 * <p>Usage: {@code PrefixLimits} for the first, minutes; {@code PrefixLimits histogram} for the other, much longer.
 *
 * <ul>
 *   <li>A model of one layer with one head learns to sort ten digits upwards. A prefix of one vector cannot turn that into sorting downwards, full
 *       fine-tuning can.
 *   <li>A model of four layers with four heads learns to sort both ways and to add one or two, without being told which. A prefix can tell it
 *       which; it cannot teach it the double histogram, which a LoRA of rank 1 on the feed-forward networks, as many parameters, can.
 * </ul>
 *
 * <p>The start token stands where the prefix of one vector will: digits keep the positions they were learnt at.
 */
public final class PrefixLimits {
    private static final int VOCABULARY = Task.DIGITS + 1;
    private static final long SEED = 1;

    /** As many parameters as a LoRA of rank 1 on the feed-forward networks: 5 · 4 · 2 · 96. */
    private static final int VECTORS = 5;

    private static final double[] PREFIX_RATES = {1e-3, 1e-2, 1e-1};
    private static final double[] LORA_RATES = {1e-3, 1e-2};

    private PrefixLimits() {}

    /** Runs an experiment. */
    public static void main(String... args) throws IOException {
        Path folder = Files.createTempDirectory("prefix-limits");
        if (args.length == 0) {
            sorting(folder);
        } else if (args.length == 1 && args[0].equals("histogram")) {
            histogram(folder);
        } else {
            System.err.println("expected nothing or \"histogram\", found " + String.join(" ", args));
            System.exit(2);
        }
    }

    private static void sorting(Path folder) {
        TinyGpt gpt = new TinyGpt(1, 1, 96, VOCABULARY, 1 + 2 * Tuned.LENGTH);
        Recipe upwards = new Recipe(FullConfig.ofTask(), List.of(Task.ASCENDING), 1, 5_000, 1e-3);
        try (Backbone fresh = Backbones.load(
                        gpt.write(folder, SEED), Options.defaults().threads(1));
                ResidentAdapter learnt = Tuned.train(fresh, "the model", upwards, SEED);
                Backbone base = fresh.merged(learnt, null)) {
            report("the model", Task.ASCENDING, Tuned.accuracy(base, null, Task.ASCENDING, 1));
            report("the model", Task.DESCENDING, Tuned.accuracy(base, null, Task.DESCENDING, 1));
            for (double rate : PREFIX_RATES) {
                tune(base, "a prefix of 1 vector, rate " + rate, prefix(1), Task.DESCENDING, 0, 5_000, rate);
            }
            tune(base, "full fine-tuning", FullConfig.ofTask(), Task.DESCENDING, 1, 5_000, 1e-3);
        }
    }

    private static void histogram(Path folder) {
        List<Task> known = List.of(Task.ASCENDING, Task.DESCENDING, Task.ADD_ONE, Task.ADD_TWO);
        TinyGpt gpt = new TinyGpt(4, 4, 96, VOCABULARY, VECTORS + 2 * Tuned.LENGTH);
        Recipe all = new Recipe(FullConfig.ofTask(), known, VECTORS, 20_000, 1e-3);
        try (Backbone fresh = Backbones.load(
                        gpt.write(folder, SEED), Options.defaults().threads(1));
                ResidentAdapter learnt = Tuned.train(fresh, "the model", all, SEED);
                Backbone base = fresh.merged(learnt, null)) {
            for (Task task : known) {
                report("the model", task, Tuned.accuracy(base, null, task, VECTORS));
            }
            for (Task task : known) {
                tune(base, "a prefix of 5 vectors", prefix(VECTORS), task, 0, 5_000, 1e-2);
            }
            for (double rate : PREFIX_RATES) {
                tune(
                        base,
                        "a prefix of 5 vectors, rate " + rate,
                        prefix(VECTORS),
                        Task.DOUBLE_HISTOGRAM,
                        0,
                        20_000,
                        rate);
            }
            LoraConfig lora = LoraConfig.builder()
                    .rank(1)
                    .alpha(1)
                    .targets("mlp.c_fc", "mlp.c_proj")
                    .build();
            for (double rate : LORA_RATES) {
                tune(base, "LoRA of rank 1, rate " + rate, lora, Task.DOUBLE_HISTOGRAM, VECTORS, 20_000, rate);
            }
        }
    }

    private static PrefixConfig prefix(int vectors) {
        return PrefixConfig.builder().virtualTokens(vectors).build();
    }

    private static void tune(
            Backbone base, String name, AdapterConfig config, Task task, int starts, int steps, double rate) {
        Recipe recipe = new Recipe(config, List.of(task), starts, steps, rate);
        try (ResidentAdapter adapter = Tuned.train(base, name, recipe, SEED)) {
            report(name, task, Tuned.accuracy(base, adapter, task, starts));
        }
    }

    private static void report(String who, Task task, double accuracy) {
        System.out.printf(Locale.ROOT, "%-36s %-18s %5.1f %%%n", who, task, 100 * accuracy);
    }
}
