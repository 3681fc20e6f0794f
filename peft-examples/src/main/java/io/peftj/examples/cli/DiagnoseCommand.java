package io.peftj.examples.cli;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.io.AtomicFiles;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.TextEncoder;
import io.peftj.djl.data.Datasets;
import io.peftj.djl.data.RowKind;
import io.peftj.djl.diagnose.PrefixDiagnosis;
import io.peftj.djl.diagnose.PrefixDiagnosis.Layer;
import io.peftj.djl.train.Conversation;
import io.peftj.djl.train.LabelledText;
import io.peftj.examples.cli.chart.LineCharts;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows what a prefix or a prompt does inside a model. */
@Command(
        name = "diagnose",
        header = "Shows what a prefix or a prompt does inside a model, layer by layer.",
        description = {
            "Reads rows of a CSV or JSONL file with and without an adapter of prefix tuning, prompt tuning or P-tuning and prints"
                    + " for each layer (arXiv 2310.19698):",
            "deviation: the largest change of attention among the row's own tokens, relative to each other, for equal layer inputs;"
                    + " rounding alone, since a prefix cannot change it. output error: of the model's own arithmetic. share, largest:"
                    + " how much of the attention the prefix takes, mean of all heads and of the one that gives most. bias: the length"
                    + " of what the prefix adds to the heads' outputs over theirs. alignment: 1 where that is the same at all tokens,"
                    + " near 0 where its directions cancel. cosine: of the angle between it and the heads' outputs. drift: how far the layer's input is from the bare model's, over its length."
        })
final class DiagnoseCommand implements Callable<Integer> {
    private static final String[] COLUMNS = {
        "layer", "deviation", "output error", "share", "largest", "bias", "alignment", "cosine", "drift"
    };

    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Mixin
    private ModelOptions model;

    @Option(names = "--adapter", required = true, paramLabel = "DIR", description = "The adapter to look at.")
    private Path adapter;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description = "The rows to read: text, prompt and answer, or messages.")
    private Path data;

    @Option(
            names = "--rows",
            defaultValue = "16",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "How many of the rows, from the first (default: ${DEFAULT-VALUE}).")
    private int rows;

    @Option(
            names = "--max-length",
            defaultValue = "128",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Tokens of a row; what is longer loses its end (default: ${DEFAULT-VALUE}).")
    private int maxLength;

    @Option(names = "--csv", paramLabel = "FILE", description = "Write the table as CSV too.")
    private @Nullable Path csv;

    @Option(names = "--chart", paramLabel = "FILE", description = "Draw it too: a PNG file.")
    private @Nullable Path chart;

    DiagnoseCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        RowKind kind = RowKind.of(data);
        List<Conversation> conversations =
                kind == RowKind.CONVERSATION ? first(Datasets.conversations(data)) : List.of();
        List<String> texts = kind == RowKind.CONVERSATION ? List.of() : first(texts(kind));
        try (Backbone base = model.open(opener)) {
            LoadedAdapter loaded = LoadedAdapter.load(adapter, base);
            TextEncoder encoder =
                    TextEncoder.of(base, loaded.adapter().task(), loaded.plan().positionShift());
            List<int[]> ids = Stream.concat(
                            texts.stream().map(encoder::row),
                            conversations.stream().map(row -> ids(base, row)))
                    .map(this::cut)
                    .toList();
            try (ResidentAdapter resident =
                    AdapterLoader.resident(base, loaded.adapter().type(), loaded.adapter())) {
                report(loaded.adapter().type(), PrefixDiagnosis.of(base, resident, ids, () -> false));
            }
        }
        return 0;
    }

    /** Whole, as the model's chat template writes it. */
    private static int[] ids(Backbone base, Conversation row) {
        return base.tokenizer().encodePlain(base.tokenizer().chatTemplate().conversation(row.messages()));
    }

    private List<String> texts(RowKind kind) {
        return switch (kind) {
            case LABELLED ->
                Datasets.labelled(data).stream().map(LabelledText::text).toList();
            case ANSWERED ->
                Datasets.answers(data).stream()
                        .map(row -> row.prompt() + row.answer())
                        .toList();
            case PLAIN -> Datasets.texts(data);
            default ->
                throw new InvalidConfigException(
                        "--data: expected the columns text, prompt and answer, or messages, found those of " + kind
                                + "; give texts");
        };
    }

    private <T> List<T> first(List<T> all) {
        return all.subList(0, Math.min(rows, all.size()));
    }

    private int[] cut(int[] ids) {
        return ids.length <= maxLength ? ids : Arrays.copyOf(ids, maxLength);
    }

    private void report(String type, PrefixDiagnosis found) {
        Table table = new Table(COLUMNS);
        StringBuilder lines = new StringBuilder(
                "layer,deviation,output_error,share,largest_share,bias_size,bias_alignment,bias_cosine,drift\n");
        for (Layer layer : found.layers()) {
            table.row(
                    layer.layer(),
                    scientific(layer.deviation()),
                    scientific(layer.outputError()),
                    fixed(layer.share()),
                    fixed(layer.largestShare()),
                    fixed(layer.biasSize()),
                    fixed(layer.biasAlignment()),
                    fixed(layer.biasCosine()),
                    fixed(layer.drift()));
            lines.append(layer.layer());
            for (double value : new double[] {
                layer.deviation(),
                layer.outputError(),
                layer.share(),
                layer.largestShare(),
                layer.biasSize(),
                layer.biasAlignment(),
                layer.biasCosine(),
                layer.drift()
            }) {
                lines.append(',').append(value);
            }
            lines.append('\n');
        }
        command.commandLine()
                .getOut()
                .printf(
                        Locale.ROOT,
                        "%s, %d rows, %d tokens%n%n%s%ndrift behind the last layer: %s%n",
                        type,
                        found.rows(),
                        found.tokens(),
                        table,
                        fixed(found.outputDrift()));
        command.commandLine().getOut().flush();
        if (csv != null) {
            AtomicFiles.write(csv, AtomicFiles.Content.of(lines.toString()));
        }
        if (chart != null) {
            new LineCharts("What the adapter (" + type + ") does in each layer", "layer")
                    .chart("share of the attention that it takes", of(found, Layer::share))
                    .chart("length of the bias over that of the heads' outputs", of(found, Layer::biasSize))
                    .chart("alignment of the bias: 1 for one direction at all tokens", of(found, Layer::biasAlignment))
                    .chart("cosine between the bias and the heads' outputs", of(found, Layer::biasCosine))
                    .chart("drift of the layer's input from the bare model's", of(found, Layer::drift))
                    .write(chart);
        }
    }

    private static List<Double> of(PrefixDiagnosis found, ToDoubleFunction<Layer> figure) {
        return found.layers().stream().map(figure::applyAsDouble).toList();
    }

    private static String scientific(double value) {
        return String.format(Locale.ROOT, "%.1e", value);
    }

    private static String fixed(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }
}
