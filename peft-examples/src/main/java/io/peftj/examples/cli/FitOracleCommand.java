package io.peftj.examples.cli;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.djl.train.Objective;
import io.peftj.djl.train.OptimizerStep;
import io.peftj.djl.train.TrainableAdapter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains an adapter for a few plain steps on one batch, for comparisons with other implementations. */
@Command(
        name = "fit-oracle",
        header = "Takes a few plain training steps, for comparisons.",
        description = {
            "Takes plain steps of AdamW from an adapter's stored values on one padded batch, without dropout, and prints the"
                    + " loss before each step.",
            "The optimiser's settings, and a classifier's labels, are those of training.json beside the adapter. A language"
                    + " model learns the next tokens, from prompt_length on where the inputs give it."
        })
final class FitOracleCommand implements Callable<Integer> {
    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Mixin
    private ModelOptions model;

    @Option(
            names = "--adapter",
            required = true,
            paramLabel = "DIR",
            description = "The adapter to start from, with training.json beside its files.")
    private Path adapter;

    @Option(
            names = "--inputs",
            required = true,
            paramLabel = "FILE",
            description = "The batch, a safetensors file as for logits.")
    private Path inputs;

    @Option(
            names = "--steps",
            defaultValue = "5",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Number of steps (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Where the trained adapter goes.")
    private Path out;

    FitOracleCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        TrainingFile training = TrainingFile.read(adapter.resolve("training.json"));
        PaddedInputs batch = PaddedInputs.read(inputs);
        try (Backbone base = model.open(opener)) {
            LoadedAdapter loaded = LoadedAdapter.load(adapter, base);
            HeadSpec head = loaded.spec().head();
            List<Example> examples =
                    head == null ? batch.answered(loaded.plan()) : batch.classified(training.labels(head.classes()));
            Objective objective = head == null ? new Objective.NextToken() : new Objective.Classification(head);
            new JsonLine()
                    .put("loss", fit(base, loaded, objective, examples, training))
                    .print(command.commandLine().getOut());
        }
        return 0;
    }

    private List<Double> fit(
            Backbone base, LoadedAdapter loaded, Objective objective, List<Example> examples, TrainingFile training) {
        Adapter start = loaded.adapter();
        List<Assigned> all = examples.stream()
                .map(example -> new Assigned(example, List.of(0)))
                .toList();
        try (TrainableAdapter trained = TrainableAdapter.start(base, "adapter", loaded.plan(), start.parameters())) {
            OptimizerStep step = new OptimizerStep(base, objective, List.of(trained), 0);
            List<Double> losses = new ArrayList<>();
            for (int n = 1; n <= steps; n++) {
                OptimizerStep.Settings settings = new OptimizerStep.Settings(training.optimizer(), n, null);
                losses.add(base.call(
                        "fit-oracle",
                        session -> step.take(session, List.of(all), settings).loss()));
            }
            AdapterFiles.save(
                    new Adapter(
                            start.type(),
                            start.config(),
                            trained.stored(),
                            start.task(),
                            base.fingerprint().encode(),
                            start.otherKeys()),
                    out);
            return losses;
        }
    }
}
