package io.peftj.examples.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.tensor.Updates.AdamW;
import java.nio.file.Path;
import java.util.List;

/** A reference case's training.json: how the other implementation trained. */
final class TrainingFile {
    private final ConfigReader reader;
    private final AdamW optimizer;

    private TrainingFile(ConfigReader reader) {
        this.reader = reader;
        String name = reader.requiredString("optimizer");
        if (!name.equals("AdamW")) {
            throw reader.error("optimizer", "\"AdamW\"", "no other optimiser is implemented");
        }
        double[] betas = betas(reader);
        this.optimizer = new AdamW(
                reader.requiredDouble("lr"),
                betas[0],
                betas[1],
                reader.requiredDouble("eps"),
                reader.requiredDouble("weight_decay"));
    }

    /**
     * Reads the file.
     *
     * @throws InvalidFileException if it is missing or asks for something else than AdamW
     */
    static TrainingFile read(Path file) {
        return new TrainingFile(ConfigReader.read(file));
    }

    private static double[] betas(ConfigReader reader) {
        JsonElement value = reader.json().get("betas");
        if (value instanceof JsonArray array
                && array.size() == 2
                && array.asList().stream().allMatch(b -> b instanceof JsonPrimitive p && p.isNumber())) {
            return new double[] {array.get(0).getAsDouble(), array.get(1).getAsDouble()};
        }
        throw reader.error("betas", "two numbers", "PyTorch's defaults are [0.9, 0.999]");
    }

    /** The settings of every step. */
    AdamW optimizer() {
        return optimizer;
    }

    /** The rows' classes, each below the number of classes. */
    List<Integer> labels(int classes) {
        List<Integer> labels = reader.ints("labels");
        if (labels.stream().anyMatch(label -> label < 0 || label >= classes)) {
            throw reader.error("labels", "classes from 0 to " + (classes - 1), "use the model it was written for");
        }
        return labels;
    }
}
