package io.peftj.examples.cli;

import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.tensor.HostTensor;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.PaddedLogits;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes the logits of a padded batch, for comparisons with other implementations. */
@Command(
        name = "logits",
        header = "Writes a model's logits for a padded batch.",
        description = {
            "Writes a model's logits for a padded batch of token ids, as Hugging Face's models give them: [rows, width, vocabulary]"
                    + " of a language model, with zeros in padding, or [rows, classes] of a classifier.",
            "The inputs: input_ids and attention_mask [rows, width], and optionally token_type_ids [rows, width] and"
                    + " prompt_length [rows], all int64."
        })
final class LogitsCommand implements Callable<Integer> {
    private final ModelOpener opener;

    @Mixin
    private ModelOptions model;

    @Option(names = "--adapter", paramLabel = "DIR", description = "An adapter that acts on every row.")
    private @Nullable Path adapter;

    @Option(names = "--inputs", required = true, paramLabel = "FILE", description = "The batch, a safetensors file.")
    private Path inputs;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description = "Where the logits go: a safetensors file with the tensor logits (float32).")
    private Path out;

    LogitsCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        PaddedInputs batch = PaddedInputs.read(inputs);
        try (Backbone base = model.open(opener)) {
            HostTensor logits = adapter == null
                    ? logits(base, null, base.spec().head(), batch)
                    : logits(base, LoadedAdapter.load(adapter, base), batch);
            SafetensorsWriter.write(out, Map.of("logits", logits), Map.of("format", "pt"));
        }
        return 0;
    }

    private static HostTensor logits(Backbone base, LoadedAdapter loaded, PaddedInputs batch) {
        try (ResidentAdapter resident = ResidentAdapter.load(
                base, "adapter", loaded.plan(), loaded.adapter().parameters())) {
            return logits(base, resident, loaded.spec().head(), batch);
        }
    }

    private static HostTensor logits(
            Backbone base, @Nullable ResidentAdapter resident, @Nullable HeadSpec head, PaddedInputs batch) {
        return PaddedLogits.of(
                base, resident, head, batch.width(), batch.ids(), batch.mask(), batch.types(), batch.promptLengths());
    }
}
