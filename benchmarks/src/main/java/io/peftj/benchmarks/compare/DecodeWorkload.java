package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Generation in which every row has an adapter of its own. */
@Command(
        name = "decode",
        header = "Compares generation in which every row has an adapter of its own.",
        description = "Compares new tokens a second of one greedy batch, reading the prompts included.")
final class DecodeWorkload extends Workload {
    private static final String SCRIPT = "bench_peft.py";

    /** Rows without an adapter. */
    private static final String BASE = "base";

    /** The methods that PEFT takes an adapter a row for; of others it silently takes one for all rows. */
    private static final List<String> PEERS = List.of(BASE, "lora", "lora-all");

    @Option(
            names = "--tenants",
            defaultValue = "8",
            paramLabel = "N",
            description = "Rows, each with an adapter of its own (default: ${DEFAULT-VALUE}).")
    private int tenants;

    @Option(
            names = "--prompt",
            defaultValue = "64",
            paramLabel = "N",
            description = "Tokens of a prompt (default: ${DEFAULT-VALUE}).")
    private int prompt;

    @Option(
            names = "--new",
            defaultValue = "64",
            paramLabel = "N",
            description = "New tokens of a row (default: ${DEFAULT-VALUE}).")
    private int newTokens;

    @Option(names = "--packed-weights", description = "Our side keeps matrices a second time, packed for few tokens.")
    private boolean packedWeights;

    @Option(
            names = "--warm-ups",
            defaultValue = "1",
            paramLabel = "N",
            description =
                    "Runs of our side before those that count; the peer's script has one (default: ${DEFAULT-VALUE}).")
    private int warmUps;

    DecodeWorkload(Comparison comparison) {
        super(comparison, new CompareOptions(List.of(BASE, "lora"), List.of("float32", "bfloat16")));
    }

    @Override
    String name() {
        return "decode";
    }

    @Override
    List<Metric> metrics() {
        return List.of(
                Metric.more("tokens_per_s", "new tokens/s", 1),
                Metric.memoryOverWeights(),
                Metric.peakMemory().notDrawn());
    }

    @Override
    JsonObject settings() {
        JsonObject settings = options().settings(this);
        settings.addProperty("tenants", tenants);
        settings.addProperty("prompt", prompt);
        settings.addProperty("new", newTokens);
        if (packedWeights) {
            settings.addProperty("packed_weights", true);
        }
        if (warmUps != 1) {
            settings.addProperty("warm_ups", warmUps);
        }
        return settings;
    }

    @Override
    String title() {
        return tenants + " rows, an adapter each, " + prompt + " tokens and " + newTokens + " new ones";
    }

    @Override
    List<String> scripts() {
        return List.of(SCRIPT);
    }

    @Override
    Map<Side, Attempt> attempts(Case of, int round) {
        Words work = Words.of("--tenants", tenants, "--prompt", prompt, "--new", newTokens);
        Words peer = options()
                .peer(SCRIPT, of)
                .and("--dtype", of.dtype())
                .and(work)
                .and("decode", options().model());
        Map<Side, Attempt> attempts = new EnumMap<>(Side.class);
        Words ours = options().ours(this, of).and(work).andIf(packedWeights, "--packed-weights");
        ours = warmUps == 1 ? ours : ours.and("--warm-ups", warmUps);
        attempts.put(Side.OURS, new Attempt.Command(ours));
        attempts.put(
                Side.PEER,
                PEERS.contains(of.method())
                        ? new Attempt.Command(peer)
                        : new Attempt.Absent("PEFT takes an adapter a row for LoRA alone"));
        return attempts;
    }
}
