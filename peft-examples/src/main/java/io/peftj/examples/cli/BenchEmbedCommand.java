package io.peftj.examples.cli;

import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.serve.Embedder;
import io.peftj.djl.train.LabelledText;
import io.peftj.examples.cli.data.ClassificationData;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures embedding ragged texts. */
@Command(
        name = "embed",
        header = "Measures embedding texts with an encoder.",
        description =
                "Embeds a known data set's test texts in batches in the file's order, from text to vectors: rows a second as the"
                        + " median over passes after one that warms up.")
final class BenchEmbedCommand implements Callable<Integer> {
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
            names = "--batch",
            defaultValue = "32",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Texts of a call (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--passes",
            defaultValue = "3",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Passes to measure (default: ${DEFAULT-VALUE}).")
    private int passes;

    BenchEmbedCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        List<String> texts = ClassificationData.read(data).test().stream()
                .map(LabelledText::text)
                .toList();
        try (Backbone base = model.openToMeasure(opener);
                Embedder embedder = Embedder.of(base)) {
            pass(embedder, texts);
            double[] seconds = new double[passes];
            for (int pass = 0; pass < passes; pass++) {
                long began = System.nanoTime();
                pass(embedder, texts);
                seconds[pass] = (System.nanoTime() - began) / 1e9;
            }
            Arrays.sort(seconds);
            double median = (seconds[(passes - 1) / 2] + seconds[passes / 2]) / 2;
            new JsonLine()
                    .put("side", "peftj")
                    .put("threads", model.measuredThreads())
                    .put("workload", "embed")
                    .put("data", data.toAbsolutePath().normalize().getFileName().toString())
                    .put("dtype", model.dtypeName())
                    .put("batch", batch)
                    .put("rows", texts.size())
                    .putRounded("rows_per_s", texts.size() / median, 1)
                    .put("peak_rss_mib", Rss.peakMib())
                    .print(command.commandLine().getOut());
        }
        return 0;
    }

    private void pass(Embedder embedder, List<String> texts) {
        for (int from = 0; from < texts.size(); from += batch) {
            embedder.embed(texts.subList(from, Math.min(texts.size(), from + batch)));
        }
    }
}
