package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Training steps of a language model on rows of random tokens. */
@Command(
        name = "train",
        header = "Compares training steps of a language model.",
        description = {
            "Compares forward, backward and AdamW on full rows of random tokens.",
            "A step of LoRA with hand-written gradients stands beside them where it does the same work: 4 rows of 128 tokens,"
                    + " 2 threads."
        })
final class TrainWorkload extends Workload {
    private static final String SCRIPT = "bench_peft.py";
    private static final String PROTOTYPE = "prototype_step.py";

    /** What the prototype's script does, whatever it is told. */
    private static final int PROTOTYPE_BATCH = 4;

    private static final int PROTOTYPE_LENGTH = 128;
    private static final int PROTOTYPE_THREADS = 2;

    @Option(
            names = "--batch",
            defaultValue = "4",
            paramLabel = "N",
            description = "Rows of a step (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--length",
            defaultValue = "128",
            paramLabel = "N",
            description = "Tokens of a row (default: ${DEFAULT-VALUE}).")
    private int length;

    @Option(
            names = "--steps",
            defaultValue = "8",
            paramLabel = "N",
            description = "Steps that a run measures (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(names = "--checkpointing", description = "Compute layers again in the backward pass.")
    private boolean checkpointing;

    TrainWorkload(Comparison comparison) {
        super(comparison, new CompareOptions(List.of("lora", "ia3", "prefix"), List.of("float32", "bfloat16")));
    }

    @Override
    String name() {
        return "train";
    }

    @Override
    List<Metric> metrics() {
        return List.of(
                Metric.more("tokens_per_s", "tokens/s", 1),
                Metric.less("step_s", "seconds a step", 4).notDrawn(),
                Metric.memoryOverWeights(),
                Metric.peakMemory().notDrawn());
    }

    @Override
    JsonObject settings() {
        JsonObject settings = options().settings(this);
        settings.addProperty("batch", batch);
        settings.addProperty("length", length);
        settings.addProperty("steps", steps);
        settings.addProperty("checkpointing", checkpointing);
        return settings;
    }

    @Override
    String title() {
        return batch + " × " + length + " random tokens a step" + (checkpointing ? ", layers computed again" : "");
    }

    @Override
    List<String> scripts() {
        return List.of(SCRIPT, PROTOTYPE);
    }

    @Override
    Map<Side, Attempt> attempts(Case of, int round) {
        Words work = Words.of("--batch", batch, "--length", length, "--steps", steps)
                .andIf(checkpointing, "--checkpointing");
        Words ours = options().ours(this, of).and(work);
        Words peer = options()
                .peer(SCRIPT, of)
                .and("--dtype", of.dtype())
                .and(work)
                .and("train", options().model());
        Map<Side, Attempt> attempts = new EnumMap<>(Side.class);
        attempts.put(Side.OURS, new Attempt.Command(ours));
        attempts.put(Side.PEER, new Attempt.Command(peer));
        if (of.method().equals("lora")) {
            attempts.put(Side.PROTOTYPE, prototype(of));
        }
        if (options().floor(round)) {
            attempts.put(Side.FLOOR, new Attempt.Command(ours.and("--profile"), this::floor));
        }
        return attempts;
    }

    private Attempt prototype(Case of) {
        return !checkpointing
                        && batch == PROTOTYPE_BATCH
                        && length == PROTOTYPE_LENGTH
                        && options().threads() == PROTOTYPE_THREADS
                ? new Attempt.Command(
                        options().script(PROTOTYPE).and(options().model(), of.dtype(), steps), TrainWorkload::renamed)
                : new Attempt.Absent("it knows steps of 4 rows of 128 tokens on 2 threads only");
    }

    private static JsonObject renamed(JsonObject line) {
        JsonObject renamed = new JsonObject();
        renamed.add("tokens_per_s", line.get("proto_tok_s"));
        renamed.add("peak_rss_mib", line.get("rss"));
        renamed.add("loss", line.get("loss"));
        return renamed;
    }

    private JsonObject floor(JsonObject line) {
        JsonObject floor = new JsonObject();
        Metric.number(line, "floor_s").ifPresent(seconds -> {
            floor.addProperty("step_s", seconds);
            floor.addProperty("tokens_per_s", Math.round(batch * length / seconds * 10) / 10.0);
        });
        return floor;
    }
}
