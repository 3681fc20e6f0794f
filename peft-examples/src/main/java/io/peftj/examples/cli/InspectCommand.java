package io.peftj.examples.cli;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.backbone.Options;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows a model's sites, and what an adapter or a method does there: from configurations alone, nothing is computed. */
@Command(
        name = "inspect",
        header = "Shows a model's sites, or where an adapter acts and how much it trains.",
        description = {
            "Reads configurations and, with --adapter, its parameters; the model's weights are loaded of a jar alone, or for"
                    + " --vectors and --heat-map, which show what PEDRO multiplies outputs by after a prompt."
        })
final class InspectCommand implements Callable<Integer> {
    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "The base model: a Hugging Face directory, a GGUF file, or a jar with an ONNX encoder.")
    private Path model;

    @Option(names = "--adapter", paramLabel = "DIR", description = "An adapter's directory.")
    private @Nullable Path adapter;

    @Option(
            names = "--method",
            completionCandidates = MethodOptions.Names.class,
            paramLabel = "METHOD",
            description = "A method to plan instead of an adapter: " + MethodOptions.NAMES + ".")
    private @Nullable String method;

    @Option(
            names = "--classes",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Plan the method for classification, with a head of its own for N classes.")
    private @Nullable Integer classes;

    @Option(names = "--json", description = "One line of JSON instead of a table.")
    private boolean json;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "A prompt for --vectors and --heat-map; once for each.")
    private List<String> prompts = List.of();

    @Option(
            names = "--vectors",
            paramLabel = "FILE",
            description =
                    "Write the vectors that PEDRO makes of the prompts: a CSV file of every layer, site and dimension.")
    private @Nullable Path vectors;

    @Option(
            names = "--heat-map",
            paramLabel = "FILE",
            description = "Draw these vectors, layer by dimension: a PNG file.")
    private @Nullable Path heatMap;

    @Mixin
    private MethodOptions methodOptions;

    InspectCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        if (vectors != null || heatMap != null) {
            exportVectors();
        } else if (!prompts.isEmpty()) {
            throw new ParameterException(
                    command.commandLine(), "--prompt is for --vectors and --heat-map; give one of the two too");
        }
        Inspection inspection = inspect(spec());
        if (json) {
            inspection.json().print(command.commandLine().getOut());
        } else {
            command.commandLine().getOut().print(inspection.text());
            command.commandLine().getOut().flush();
        }
        return 0;
    }

    private Inspection inspect(BackboneSpec spec) {
        if (adapter != null && method != null) {
            throw new ParameterException(command.commandLine(), "give --adapter or --method, not both");
        }
        if (adapter != null) {
            LoadedAdapter loaded = LoadedAdapter.load(adapter, spec);
            return inspection(
                    loaded.spec(),
                    loaded.adapter().config(),
                    loaded.adapter().task().labels());
        }
        if (method != null) {
            BackboneSpec headed = classes == null ? spec : spec.withHead(spec.headFor(classes));
            AdapterConfig config = methodOptions.config(method);
            AdapterConfig ofTask = classes == null ? config : config.withTaskType(TaskType.SEQ_CLS);
            return inspection(headed, AdapterMethods.complete(headed, ofTask), List.of());
        }
        return new Inspection(spec, null);
    }

    private static Inspection inspection(BackboneSpec spec, AdapterConfig config, List<String> labels) {
        return new Inspection(spec, PlannedAdapter.of(spec, config, labels));
    }

    private void exportVectors() {
        if (adapter == null || prompts.isEmpty()) {
            throw new ParameterException(
                    command.commandLine(), "--vectors and --heat-map need --adapter and at least one --prompt");
        }
        try (Backbone base = opener.open(model, Options.defaults())) {
            PromptVectorsExport export = PromptVectorsExport.of(base, LoadedAdapter.load(adapter, base), prompts);
            if (vectors != null) {
                export.writeCsv(vectors);
            }
            if (heatMap != null) {
                export.writePicture(heatMap);
            }
        }
    }

    private BackboneSpec spec() {
        if (model.toString().endsWith(".jar")) {
            try (Backbone base = opener.open(model, Options.defaults())) {
                return base.spec();
            }
        }
        return Backbones.spec(model);
    }
}
