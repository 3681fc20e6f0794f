package io.peftj.djl.backbone;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.io.ModelDirectory;
import io.peftj.core.io.TensorSource;
import io.peftj.core.io.gguf.GgufModel;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.djl.chat.ChatTemplate;
import io.peftj.djl.engine.TorchBackend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Opens models. */
public final class Backbones {
    private Backbones() {}

    /** Opens a model with the default options: on the processor, in single precision. */
    public static Backbone load(Path model) {
        return load(model, Options.defaults());
    }

    /**
     * Opens a model on an engine of its own, which is closed with it.
     *
     * @param model a Hugging Face directory, a GGUF file or a directory with one alone, or a jar with an ONNX encoder as langchain4j ships them
     * @throws io.peftj.core.InvalidFileException if a file is damaged, or a tensor is missing or of another shape than config.json says
     * @throws InvalidConfigException if the architecture, or something that config.json asks for, is not implemented
     */
    public static Backbone load(Path model, Options options) {
        TorchBackend backend = TorchBackend.open(options.engine());
        try {
            return load(model, backend, options.dtype(), backend::close);
        } catch (RuntimeException e) {
            backend.close();
            throw e;
        }
    }

    /**
     * Opens a model on a backend that is used for other models too; closing the backbone leaves the backend open.
     *
     * @param model a directory with config.json, model.safetensors or its shards, and tokenizer.json where text is used; or another kind of model that
     *     {@link #load(Path, Options)} takes
     * @throws io.peftj.core.InvalidFileException if a file is damaged, or a tensor is missing or of another shape than config.json says
     * @throws InvalidConfigException if the architecture, or something that config.json asks for, is not implemented
     */
    public static Backbone load(Path model, Backend backend, DType dtype) {
        return load(model, backend, dtype, () -> {});
    }

    /**
     * What a model is, without its weights or natives.
     *
     * @param model a Hugging Face directory, or a GGUF file or a directory with one alone
     */
    public static BackboneSpec spec(Path model) {
        Optional<Path> gguf = GgufModels.find(model);
        if (gguf.isEmpty()) {
            return spec(ConfigReader.read(model.resolve("config.json")));
        }
        try (GgufModel file = GgufModel.open(gguf.get())) {
            return spec(file.config());
        }
    }

    /** What a Hugging Face directory's config.json describes, without weights or natives. */
    public static BackboneSpec spec(ConfigReader config) {
        return family(config).spec(config);
    }

    /** Opens a model from wherever its configuration, tensors and tokenizer come from. */
    public static Backbone load(
            ConfigReader config,
            TensorSource tensors,
            @Nullable Tokenizer tokenizer,
            Backend backend,
            DType dtype,
            Runnable afterClose) {
        return load(config, endTokens(config), tensors, tokenizer, backend, dtype, afterClose);
    }

    private static Backbone load(
            ConfigReader config,
            List<Integer> endTokens,
            TensorSource tensors,
            @Nullable Tokenizer tokenizer,
            Backend backend,
            DType dtype,
            Runnable afterClose) {
        BackboneFamily family = family(config);
        BackboneSpec spec = family.spec(config);
        TensorSource source = new BodyNames(tensors);
        return backend.call(() -> {
            Weights weights = new Weights(source, backend, dtype);
            try {
                Backbone backbone = new Backbone(
                        spec,
                        backend,
                        (described, w) -> family.load(config, described, w),
                        weights,
                        fingerprint(spec, source),
                        tokenizer,
                        endTokens,
                        afterClose);
                weights.forgetFile();
                backend.trim();
                return backbone;
            } catch (RuntimeException e) {
                weights.close();
                throw e;
            }
        });
    }

    private static Backbone load(Path model, Backend backend, DType dtype, Runnable afterClose) {
        Optional<Path> gguf = GgufModels.find(model);
        if (gguf.isPresent()) {
            return GgufModels.load(gguf.get(), backend, dtype, afterClose);
        }
        return Files.isRegularFile(model)
                ? OnnxEncoders.load(model, backend, dtype, afterClose)
                : loadDirectory(model, backend, dtype, afterClose);
    }

    private static Backbone loadDirectory(Path folder, Backend backend, DType dtype, Runnable afterClose) {
        try (ModelDirectory directory = ModelDirectory.open(folder)) {
            Tokenizer tokenizer = Tokenizer.open(directory).orElse(null);
            return loadWith(
                    tokenizer,
                    directory.config(),
                    endTokens(directory, tokenizer),
                    directory,
                    backend,
                    dtype,
                    afterClose);
        }
    }

    /** Opens a model whose tokenizer is its own and whose config.json says all about ends of texts. */
    static Backbone loadWith(
            @Nullable Tokenizer tokenizer,
            ConfigReader config,
            TensorSource tensors,
            Backend backend,
            DType dtype,
            Runnable afterClose) {
        return loadWith(tokenizer, config, endTokens(config), tensors, backend, dtype, afterClose);
    }

    /** Opens a model whose tokenizer is its own: closed with it, or at once if it cannot be opened. */
    static Backbone loadWith(
            @Nullable Tokenizer tokenizer,
            ConfigReader config,
            List<Integer> endTokens,
            TensorSource tensors,
            Backend backend,
            DType dtype,
            Runnable afterClose) {
        Runnable closeTokenizer = () -> {
            if (tokenizer != null) {
                tokenizer.close();
            }
        };
        try {
            return load(config, endTokens, tensors, tokenizer, backend, dtype, () -> {
                closeTokenizer.run();
                afterClose.run();
            });
        } catch (RuntimeException e) {
            closeTokenizer.run();
            throw e;
        }
    }

    /** The tokenizer's own first, which ends a chat model's answers; then what config.json says, and what generation_config.json adds. */
    private static List<Integer> endTokens(ModelDirectory directory, @Nullable Tokenizer tokenizer) {
        Set<Integer> all = new LinkedHashSet<>();
        if (tokenizer != null) {
            directory
                    .tokenizerConfig()
                    .map(config -> ChatTemplate.specialTokens(config).get("eos_token"))
                    .map(tokenizer::encodePlain)
                    .filter(ids -> ids.length == 1)
                    .ifPresent(ids -> all.add(ids[0]));
        }
        all.addAll(endTokens(directory.config()));
        directory.generationConfig().ifPresent(config -> all.addAll(endTokens(config)));
        return List.copyOf(all);
    }

    /** One id or several. */
    private static List<Integer> endTokens(ConfigReader config) {
        String key = "eos_token_id";
        if (!config.has(key)) {
            return List.of();
        }
        return config.json().get(key).isJsonArray() ? config.ints(key) : List.of(config.requiredInt(key));
    }

    static Fingerprint fingerprint(BackboneSpec spec, TensorSource source) {
        Set<String> outside = spec.sites().stream()
                .filter(site ->
                        Set.of(Role.POOLER, Role.HEAD, Role.OUTPUT_EMBEDDING).contains(site.role()))
                .map(Site::name)
                .collect(Collectors.toSet());
        Map<String, Fingerprint.Tensor> body = new LinkedHashMap<>();
        for (String name : spec.parameters().keySet()) {
            if (!outside.contains(name.substring(0, name.lastIndexOf('.')))) {
                body.put(BodyNames.withoutPrefix(name), Fingerprint.Tensor.of(source.find(name)));
            }
        }
        return Fingerprint.compute(
                spec.family(),
                Map.of(
                        "layers",
                        spec.layers(),
                        "width",
                        spec.width(),
                        "heads",
                        spec.heads(),
                        "vocabulary",
                        spec.vocabulary()),
                body);
    }

    private static BackboneFamily family(ConfigReader config) {
        String type = config.requiredString("model_type");
        Set<String> known = new TreeSet<>();
        for (BackboneFamily family : ServiceLoader.load(BackboneFamily.class)) {
            if (family.modelTypes().contains(type)) {
                return family;
            }
            known.addAll(family.modelTypes());
        }
        throw new InvalidConfigException(
                "model_type \"" + type + "\" of config.json is not implemented; known are " + known);
    }
}
