package io.peftj.core.io;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.PeftException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The two files of an adapter as PEFT lays them out: {@code adapter_config.json} and {@code adapter_model.safetensors}.
 *
 * @param config the configuration, unknown keys included
 * @param tensors the parameters under their file keys
 */
public record AdapterDirectory(JsonObject config, Safetensors tensors) implements AutoCloseable {
    private static final String CONFIG = "adapter_config.json";
    private static final String TENSORS = "adapter_model.safetensors";
    private static final String PICKLE = "adapter_model.bin";

    /**
     * Opens an adapter.
     *
     * @throws InvalidFileException if the folder or one of the files is missing, damaged, or a pickle
     */
    public static AdapterDirectory open(Path folder) {
        InputFiles.requireFolder(folder, "an adapter's folder with " + CONFIG + " and " + TENSORS);
        JsonObject config = Json.read(folder.resolve(CONFIG));
        if (!Files.exists(folder.resolve(TENSORS)) && Files.exists(folder.resolve(PICKLE))) {
            throw Pickles.refused(
                    folder.resolve(PICKLE),
                    "import torch, safetensors.torch as s; s.save_file(torch.load('" + PICKLE
                            + "', weights_only=True, map_location='cpu'), '" + TENSORS
                            + "', metadata={'format': 'pt'})");
        }
        return new AdapterDirectory(config, Safetensors.open(folder.resolve(TENSORS)));
    }

    /**
     * Writes both files as a unit, making the folder where there is none.
     *
     * @param metadata strings for the tensors' {@code __metadata__}
     * @throws PeftException if they could not be written; an adapter that was there is then still whole
     */
    public static void write(
            Path folder, JsonObject config, Collection<StoredTensor> tensors, Map<String, String> metadata) {
        Map<String, AtomicFiles.Content> contents = new LinkedHashMap<>();
        contents.put(TENSORS, SafetensorsWriter.content(tensors, metadata));
        contents.put(CONFIG, AtomicFiles.Content.of(Json.write(config)));
        AtomicFiles.writeTogether(folder, contents);
    }

    /** Lets go of the file of tensors. */
    @Override
    public void close() {
        tensors.close();
    }
}
