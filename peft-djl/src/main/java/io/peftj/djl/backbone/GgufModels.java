package io.peftj.djl.backbone;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.gguf.GgufModel;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Opens language models from GGUF files, their weights dequantised. */
final class GgufModels {
    private GgufModels() {}

    /**
     * The GGUF file that a path means: itself, or the one in a directory without config.json.
     *
     * @return empty if it means another kind of model
     * @throws InvalidFileException if a directory without config.json has several
     */
    static Optional<Path> find(Path model) {
        if (Files.isRegularFile(model)) {
            return GgufModel.isGguf(model) ? Optional.of(model) : Optional.empty();
        }
        if (!Files.isDirectory(model) || Files.exists(model.resolve("config.json"))) {
            return Optional.empty();
        }
        try (Stream<Path> files = Files.list(model)) {
            List<Path> found = files.filter(file -> file.toString().endsWith(".gguf"))
                    .sorted()
                    .toList();
            if (found.size() > 1) {
                throw new InvalidFileException(model.getFileName() + ": expected one GGUF file, found "
                        + found.stream().map(Path::getFileName).toList() + "; give the path of the one that is meant");
            }
            return found.stream().findFirst();
        } catch (IOException e) {
            throw new InvalidFileException(model + " could not be read: " + e + "; check its permissions", e);
        }
    }

    static Backbone load(Path file, Backend backend, DType dtype, Runnable afterClose) {
        try (GgufModel model = GgufModel.open(file)) {
            Tokenizer tokenizer = model.tokenizer()
                    .map(json -> Tokenizer.read(
                            new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)),
                            model.description(),
                            model.tokenizerConfig()))
                    .orElse(null);
            return Backbones.loadWith(tokenizer, model.config(), model.tensors(), backend, dtype, afterClose);
        }
    }
}
