package io.peftj.examples.cli;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.Pooling;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.engine.KernelProfile;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.ClassificationTask;
import io.peftj.djl.train.Evaluation;
import io.peftj.djl.train.ProgressBar;
import io.peftj.djl.train.Tasks;
import io.peftj.examples.cli.data.ClassificationData;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains an encoder to classify a known data set and measures accuracy and speed. */
@Command(
        name = "classify",
        header = "Measures training a classifier on a known data set.",
        description = {
            "Trains an encoder on banking77, snips, e2e_nlg (price ranges) or BLiMP and measures accuracy, speed and memory.",
            "Rows of at most 64 tokens, a linear head over their mean, AdamW with a weight decay of 0.01, linear decay after 6 %%"
                    + " warm-up, gradients clipped to 1; the accuracy is that on the test rows after the last epoch."
        })
final class BenchClassifyCommand implements Callable<Integer> {
    private static final int MAX_LENGTH = 64;

    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Mixin
    private ModelOptions model;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "DIR",
            description = "The data set's folder, as its publishers lay it out.")
    private Path data;

    @Option(
            names = "--method",
            completionCandidates = MethodOptions.Names.class,
            defaultValue = "lora",
            paramLabel = "METHOD",
            description = "What to train with the head: " + MethodOptions.NAMES + " (default: ${DEFAULT-VALUE}).")
    private String method;

    @Mixin
    private MethodOptions methodOptions;

    @Mixin
    private final BenchRecipe recipe = new BenchRecipe(3, 1e-3, 32);

    @Option(
            names = "--per-class",
            defaultValue = "0",
            paramLabel = "N",
            converter = Numbers.CountOrNone.class,
            description = "Train on the first N rows of each class; 0 for all (default: ${DEFAULT-VALUE}).")
    private int perClass;

    @Option(
            names = "--dev",
            description = "Choose settings: train on a quarter of the training rows and measure on another quarter.")
    private boolean development;

    @Mixin
    private final Profiling profiling = new Profiling();

    BenchClassifyCommand(ModelOpener opener) {
        this.opener = opener;
    }

    private ClassificationData rows() {
        ClassificationData all = ClassificationData.read(data).perClass(perClass);
        return development ? all.development() : all;
    }

    @Override
    public Integer call() {
        ClassificationData rows = rows();
        ClassificationTask task =
                Tasks.classification(rows.labels()).maxLength(MAX_LENGTH).pooling(Pooling.MEAN);
        try (Backbone base = model.openToMeasure(opener)) {
            RunSummary run = new RunSummary();
            Optional<KernelProfile> kernels = profiling.start(base.backend());
            Adapter adapter = recipe.applyTo(
                            AdapterTrainer.on(base)
                                    .method(methodOptions.config(method))
                                    .task(task),
                            rows.train().stream()
                                    .mapToInt(row -> base.tokenizer().encode(row.text(), MAX_LENGTH).length))
                    .weightDecay(0.01)
                    .listener(run)
                    .listener(ProgressBar.toStderr())
                    .fit(rows.train());
            kernels.ifPresent(KernelProfile::close);
            Evaluation test = Measurement.of(base, adapter, task, rows.test());
            JsonLine line = new JsonLine()
                    .put("side", "peftj")
                    .put("data", data.toAbsolutePath().normalize().getFileName().toString())
                    .put("method", method)
                    .put("epochs", recipe.epochs())
                    .put("lr", recipe.learningRate())
                    .put("seed", recipe.seed())
                    .put("base_dropout", 0.0)
                    .putRounded("accuracy", test.accuracy().orElseThrow(), 4)
                    .putRounded("train_s", run.seconds(), 1)
                    .putRounded("examples_per_s", recipe.epochs() * rows.train().size() / run.seconds(), 1)
                    .put("trainable", run.trainable())
                    .put("file_bytes", Measurement.bytesOnDisk(adapter))
                    .put("peak_rss_mib", Rss.peakMib());
            kernels.ifPresent(counted -> profiling.report(
                    counted,
                    base.backend(),
                    run.steps(),
                    run.seconds() / run.steps(),
                    base.backend().lanes(),
                    line));
            line.print(command.commandLine().getOut());
        }
        return 0;
    }
}
