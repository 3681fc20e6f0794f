package io.peftj.examples.cli;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.io.StoredType;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.ModelExport;
import io.peftj.djl.backbone.Options;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Writes a model with an adapter in its weights. */
@Command(
        name = "merge",
        header = "Works an adapter into a model's weights.",
        description = {
            "Works an adapter into a model's weights and writes the model as a Hugging Face directory, which transformers and"
                    + " this library open without the adapter. The model and the adapter stay as they are.",
            "What the adapter does not touch is copied byte for byte. An adapter that no weights can hold, such as a prefix, is"
                    + " refused, and so is one whose merged weights are not finite."
        })
final class MergeCommand implements Callable<Integer> {
    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "The base model, a Hugging Face directory.")
    private Path model;

    @Option(names = "--adapter", required = true, paramLabel = "DIR", description = "The adapter.")
    private Path adapter;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Where the merged model goes, a folder that does not exist yet.")
    private Path out;

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            converter = StoredTypeName.class,
            description = "What to store all weights as: float32, bfloat16 or float16; what each was if not given.")
    private @Nullable StoredType type;

    MergeCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        // Sums are rounded once, when they are written.
        try (Backbone base = opener.open(model, Options.defaults())) {
            Adapter loaded = AdapterLoader.load(adapter, base);
            try (Backbone merged = base.merged(loaded)) {
                ModelExport.of(model)
                        .labels(loaded.task().labels())
                        .storedAs(type)
                        .write(merged, out);
                new JsonLine()
                        .put("type", loaded.type())
                        .put("architecture", base.spec().architecture())
                        .put("untied", base.spec().tied() && !merged.spec().tied())
                        .print(command.commandLine().getOut());
            }
        }
        return 0;
    }

    /** PyTorch's names of the formats. */
    private static final class StoredTypeName implements ITypeConverter<StoredType> {
        private static final Map<String, StoredType> NAMES = new TreeMap<>(
                Map.of("float32", StoredType.F32, "bfloat16", StoredType.BF16, "float16", StoredType.F16));

        @Override
        public StoredType convert(String name) {
            StoredType found = NAMES.get(name);
            if (found == null) {
                throw new TypeConversionException("expected float32, bfloat16 or float16, found " + name);
            }
            return found;
        }
    }
}
