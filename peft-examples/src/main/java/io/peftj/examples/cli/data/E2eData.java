package io.peftj.examples.cli.data;

import io.peftj.core.InvalidFileException;
import io.peftj.djl.data.TextFiles;
import io.peftj.djl.data.TextRow;
import io.peftj.djl.train.PromptAnswer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The E2E data set (Novikova et al. 2017): facts of a place as a prompt, a sentence that tells them as the answer.
 *
 * @param train every fourth reference of the development set
 * @param test the inputs of the test set, each with its first reference
 */
public record E2eData(List<PromptAnswer> train, List<PromptAnswer> test) {
    private static final int EVERY = 4;

    /** Keeps copies. */
    public E2eData {
        train = List.copyOf(train);
        test = List.copyOf(test);
    }

    /**
     * Reads devset.csv and testset_w_refs.csv of a folder.
     *
     * @throws InvalidFileException if a file is missing or damaged
     */
    public static E2eData read(Path folder) {
        Map<String, PromptAnswer> test = new LinkedHashMap<>();
        for (TextRow row : TextFiles.csv(folder.resolve("testset_w_refs.csv"))) {
            test.putIfAbsent(row.get("mr"), of(row));
        }
        return new E2eData(references(folder, 0, EVERY), List.copyOf(test.values()));
    }

    /**
     * To choose settings by: learns from a quarter of the training rows and measures on as many references of the development set
     * that training leaves out.
     *
     * @throws InvalidFileException if devset.csv is missing or damaged
     */
    public static E2eData development(Path folder) {
        return new E2eData(references(folder, 0, 4 * EVERY), references(folder, EVERY / 2, 4 * EVERY));
    }

    private static List<PromptAnswer> references(Path folder, int from, int every) {
        List<TextRow> all = TextFiles.csv(folder.resolve("devset.csv"));
        List<PromptAnswer> rows = new ArrayList<>();
        for (int row = from; row < all.size(); row += every) {
            rows.add(of(all.get(row)));
        }
        return rows;
    }

    private static PromptAnswer of(TextRow row) {
        return new PromptAnswer("Describe the place in one sentence: " + facts(row) + ".", row.get("ref"));
    }

    /** "name[Blue Spice], area[riverside]" as "name Blue Spice; area riverside". */
    private static String facts(TextRow row) {
        return Arrays.stream(row.get("mr").split(", ", -1))
                .map(fact -> {
                    int at = fact.indexOf('[');
                    if (at < 0 || !fact.endsWith("]")) {
                        throw new InvalidFileException(
                                row.place() + ": expected facts such as name[Blue Spice], found \"" + fact
                                        + "\"; fetch the file again");
                    }
                    return fact.substring(0, at) + " " + fact.substring(at + 1, fact.length() - 1);
                })
                .collect(Collectors.joining("; "));
    }
}
