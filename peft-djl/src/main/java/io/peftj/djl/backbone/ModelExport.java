package io.peftj.djl.backbone;

import com.google.gson.JsonObject;
import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.io.AtomicFiles;
import io.peftj.core.io.Json;
import io.peftj.core.io.ModelDirectory;
import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.StoredType;
import io.peftj.core.site.Role;
import io.peftj.core.tensor.HostTensor;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes models into which adapters were merged as Hugging Face directories, which transformers opens.
 *
 * <p>What merging did not change is copied, byte for byte, from the directory of the base model: its other tensors, config.json but for what has to
 * change, tokenizer and generation settings.
 *
 * @param model the directory that the merged model's base was opened from
 * @param labels class names of a classifier in the order of the logits; empty for what config.json has
 * @param type what all floating-point tensors are stored as: F32, BF16 or F16; null for what each was
 */
public record ModelExport(
        Path model, List<String> labels, @Nullable StoredType type) {
    private static final String WEIGHTS = "model.safetensors";
    private static final float LARGEST_HALF = 65504;
    /** Everything that may lie beside the weights and means something without them. */
    private static final List<String> COPIED = List.of(
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "vocab.txt",
            "vocab.json",
            "merges.txt",
            "tokenizer.model",
            "sentencepiece.bpe.model",
            "spiece.model",
            "chat_template.jinja",
            "chat_template.json",
            "generation_config.json");

    /** Keeps a copy. */
    public ModelExport {
        labels = List.copyOf(labels);
    }

    /** Exports what was made of a directory's model, in the formats that the directory has. */
    public static ModelExport of(Path model) {
        return new ModelExport(model, List.of(), null);
    }

    /** The same with class names. */
    public ModelExport labels(List<String> names) {
        return new ModelExport(model, names, type);
    }

    /** The same with all floating-point tensors stored as one type. */
    public ModelExport storedAs(@Nullable StoredType other) {
        return new ModelExport(model, labels, other);
    }

    /**
     * Writes a model.
     *
     * @param merged made of the directory's model by {@link Backbone#merged}; open it in single precision, since what it holds is what is written
     * @param out a folder that does not exist yet; it appears whole or not at all
     * @throws PeftException if the folder exists or cannot be written, a weight is not finite in its type, or transformers has no class for the model
     * @throws IncompatibleAdapterException if the directory holds another model
     */
    public void write(Backbone merged, Path out) {
        if (Files.exists(out)) {
            throw new PeftException(out + " exists already; give a folder that does not, or delete it before");
        }
        try (ModelDirectory directory = ModelDirectory.open(model)) {
            BackboneSpec was = Backbones.spec(directory.config());
            BodyNames names = new BodyNames(directory);
            Backbones.fingerprint(was, names)
                    .differenceFrom(merged.fingerprint())
                    .ifPresent(difference -> {
                        throw new IncompatibleAdapterException("the model in " + directory.description()
                                + " is not the one that was merged: " + difference);
                    });
            JsonObject config = ExportedConfig.of(directory.config().json(), was, merged.spec(), labels, type);
            Map<String, AtomicFiles.Content> contents = new LinkedHashMap<>();
            contents.put(
                    WEIGHTS, SafetensorsWriter.content(tensors(was, merged, directory, names), Map.of("format", "pt")));
            for (String file : COPIED) {
                Path from = model.resolve(file);
                if (Files.isRegularFile(from)) {
                    contents.put(file, channel -> Files.copy(from, Channels.newOutputStream(channel)));
                }
            }
            contents.put("config.json", AtomicFiles.Content.of(Json.write(config)));
            AtomicFiles.writeTogether(out, contents);
        }
    }

    private List<StoredTensor> tensors(BackboneSpec was, Backbone merged, ModelDirectory directory, BodyNames names) {
        Set<String> done = new HashSet<>(was.parameters().keySet());
        was.sites(Role.OUTPUT_EMBEDDING).forEach(site -> done.add(site.weightName()));
        Set<String> replaced = merged.replaced();
        StoredTensor embedding = names.find(was.sites(Role.EMBEDDING).get(0).weightName());
        List<StoredTensor> tensors = new ArrayList<>();
        for (String name : merged.spec().parameters().keySet()) {
            StoredTensor before = names.contains(name) ? names.find(name) : null;
            if (before != null) {
                done.add(before.name());
            }
            tensors.add(
                    replaced.contains(name) || before == null
                            ? changed(merged, name, before == null ? embedding.type() : before.type())
                            : copied(before, name));
        }
        for (String name : directory.names()) {
            // What the model does not use, such as buffers: as it is, beside the others.
            String other = BodyNames.renamed(
                    name, embedding.name(), was.sites(Role.EMBEDDING).get(0).weightName());
            if (!done.contains(name) && !done.contains(other)) {
                tensors.add(copied(directory.find(name), other));
            }
        }
        return tensors;
    }

    private StoredTensor copied(StoredTensor tensor, String name) {
        StoredType to = type;
        if (to == null || to == tensor.type() || !tensor.type().isFloating()) {
            return tensor.named(name);
        }
        return StoredTensor.floating(name, to, tensor.shape(), () -> checked(name, to, tensor.toFloats()));
    }

    private StoredTensor changed(Backbone merged, String name, StoredType before) {
        HostTensor value = merged.parameter(name)
                .orElseThrow(() -> new IllegalStateException("the merged model has no values of " + name));
        HostTensor inFile = merged.spec().isTransposedInFiles(name) ? value.transposed() : value;
        StoredType to = type == null ? before : type;
        checked(name, to, inFile.values());
        return StoredTensor.floating(name, to, inFile.shape(), inFile::values);
    }

    private static float[] checked(String name, StoredType to, float[] values) {
        if (to == StoredType.F16) {
            for (float value : values) {
                if (!(Math.abs(value) <= LARGEST_HALF)) {
                    throw new PeftException(name + " has the value " + value
                            + ", which is not finite in F16; store the model as F32 or BF16");
                }
            }
        }
        return values;
    }
}
