package io.peftj.examples.cli;

import io.peftj.core.InvalidFileException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.io.Safetensors;
import io.peftj.core.run.Padded;
import io.peftj.core.tensor.Shape;
import io.peftj.djl.train.Example;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A padded batch of token ids from a file.
 *
 * @param width the padded length of each row
 * @param ids token ids [rows, width], row-major
 * @param mask 1 for real tokens, 0 for padding [rows, width]
 * @param types token types [rows, width]; null for all zeros
 * @param promptLengths how many of each row's real tokens are its prompt; null where the whole row is
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record PaddedInputs(int width, long[] ids, long[] mask, long @Nullable [] types, long @Nullable [] promptLengths) {
    /**
     * Reads input_ids and attention_mask [rows, width], and where they are there token_type_ids [rows, width] and prompt_length [rows]; without the
     * last, the whole row is the prompt.
     *
     * @throws InvalidFileException if one is missing, of another shape, or no integers
     */
    static PaddedInputs read(Path file) {
        try (Safetensors tensors = Safetensors.open(file)) {
            Shape shape = tensors.find("input_ids").shape();
            if (shape.rank() != 2) {
                throw new InvalidFileException(
                        tensors.description() + ": expected input_ids [rows, width], found " + shape);
            }
            long[] ids = tensors.find("input_ids").toLongs();
            long[] mask = integers(tensors, "attention_mask", shape);
            long[] types = tensors.contains("token_type_ids") ? integers(tensors, "token_type_ids", shape) : null;
            return new PaddedInputs(shape.dim(1), ids, mask, types, promptLengths(tensors, shape, mask));
        }
    }

    private static long[] integers(Safetensors tensors, String name, Shape expected) {
        Shape found = tensors.find(name).shape();
        if (!found.equals(expected)) {
            throw new InvalidFileException(
                    tensors.description() + ": expected " + name + " " + expected + ", found " + found);
        }
        return tensors.find(name).toLongs();
    }

    private static long @Nullable [] promptLengths(Safetensors tensors, Shape ids, long[] mask) {
        if (!tensors.contains("prompt_length")) {
            return null;
        }
        long[] lengths = integers(tensors, "prompt_length", Shape.of(ids.dim(0)));
        Padded padded = Padded.of(ids.dim(1), mask);
        for (int row = 0; row < lengths.length; row++) {
            if (lengths[row] < 1 || lengths[row] > padded.length(row)) {
                throw new InvalidFileException(tensors.description() + ": expected prompt_length of row " + row
                        + " from 1 to its " + padded.length(row) + " tokens, found " + lengths[row]);
            }
        }
        return lengths;
    }

    /** Where each row's real tokens are. */
    Padded padded() {
        return Padded.of(width, mask);
    }

    /** The rows with a class each. */
    List<Example> classified(List<Integer> labels) {
        Padded padded = padded();
        if (labels.size() != padded.rows()) {
            throw new PeftException(
                    "expected a label for each of the batch's " + padded.rows() + " rows, found " + labels.size());
        }
        return examples(row -> Example.classified(row, labels.get(row), padded.real(row, ids)));
    }

    /**
     * The rows as answers to their prompts, or all that can be predicted where the whole row is the prompt.
     *
     * @throws PeftException if it is, and the adapter would see what it is to learn
     */
    List<Example> answered(AdapterPlan plan) {
        if (promptLengths == null && plan.readsWholePrompt()) {
            throw new PeftException(
                    "the batch has no prompt_length, and the adapter reads whole prompts: it would see what"
                            + " it is to learn; add prompt_length [rows]");
        }
        Padded padded = padded();
        return examples(row -> {
            int answer = promptLengths == null ? plan.firstPredicted() : (int) promptLengths[row];
            return Example.answered(row, answer, padded.real(row, ids));
        });
    }

    private List<Example> examples(IntFunction<Example> example) {
        if (types != null && Arrays.stream(types).anyMatch(type -> type != 0)) {
            throw new PeftException("training takes rows of token type 0 only; leave token_type_ids out");
        }
        return IntStream.range(0, padded().rows()).mapToObj(example).toList();
    }
}
