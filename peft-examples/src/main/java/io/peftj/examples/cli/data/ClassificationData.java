package io.peftj.examples.cli.data;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.Json;
import io.peftj.djl.data.TextFiles;
import io.peftj.djl.data.TextRow;
import io.peftj.djl.train.LabelledText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A data set of texts with classes, as its publishers lay it out.
 *
 * @param train rows to learn from
 * @param test rows to measure on
 */
public record ClassificationData(List<LabelledText> train, List<LabelledText> test) {
    private static final String BANKING77 = "train.csv";
    private static final String E2E = "devset.csv";
    private static final String BLIMP = "BLiMP.zip";

    private static final Pattern PRICE_RANGE = Pattern.compile("priceRange\\[(.*?)]");
    /** Such as train_GetWeather.json: the split and the intent. */
    private static final Pattern SNIPS_FILE = Pattern.compile("(train|validate)_(.+)\\.json");

    /** Keeps copies. */
    public ClassificationData {
        train = List.copyOf(train);
        test = List.copyOf(test);
    }

    /**
     * Reads a folder of banking77, e2e_nlg (which price range does a sentence state), BLiMP (is a sentence acceptable) or snips.
     *
     * @throws InvalidFileException if it is none of them, or a file is damaged
     */
    public static ClassificationData read(Path folder) {
        if (Files.exists(folder.resolve(BANKING77))) {
            return new ClassificationData(banking77(folder.resolve(BANKING77)), banking77(folder.resolve("test.csv")));
        }
        if (Files.exists(folder.resolve(E2E))) {
            return new ClassificationData(
                    prices(folder.resolve(E2E), 3000), prices(folder.resolve("testset_w_refs.csv"), 2000));
        }
        if (Files.exists(folder.resolve(BLIMP))) {
            return new ClassificationData(blimp(folder.resolve(BLIMP), 0, 40), blimp(folder.resolve(BLIMP), 900, 920));
        }
        return snips(folder);
    }

    /** The classes' names, sorted. */
    public List<String> labels() {
        return train.stream().map(LabelledText::label).distinct().sorted().toList();
    }

    /** The same with the first so many training rows of each class; with all of them for 0. */
    public ClassificationData perClass(int most) {
        Map<String, Integer> seen = new HashMap<>();
        return most == 0
                ? this
                : new ClassificationData(
                        train.stream()
                                .filter(row -> seen.merge(row.label(), 1, Integer::sum) <= most)
                                .toList(),
                        test);
    }

    /** To choose settings by: learns from a quarter of the training rows and measures on another, drawn once and for all. */
    public ClassificationData development() {
        List<LabelledText> drawn = new ArrayList<>(train);
        Collections.shuffle(drawn, new Random(0));
        int quarter = drawn.size() / 4;
        return new ClassificationData(drawn.subList(0, quarter), drawn.subList(quarter, 2 * quarter));
    }

    private static List<LabelledText> banking77(Path file) {
        return TextFiles.csv(file).stream()
                .map(row -> new LabelledText(row.get("text"), row.get("category")))
                .toList();
    }

    private static List<LabelledText> prices(Path file, int most) {
        return TextFiles.csv(file).stream()
                .limit(most)
                .map(row -> {
                    Matcher price = PRICE_RANGE.matcher(row.get("mr"));
                    return new LabelledText(row.get("ref"), price.find() ? price.group(1) : "none");
                })
                .toList();
    }

    /** Both sentences of some pairs of every paradigm. */
    private static List<LabelledText> blimp(Path file, int from, int to) {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            List<String> paradigms = zip.stream()
                    .map(ZipEntry::getName)
                    .filter(name -> name.endsWith(".jsonl") && !name.contains("__MACOSX"))
                    .sorted()
                    .toList();
            List<LabelledText> rows = new ArrayList<>();
            for (String paradigm : paradigms) {
                try (InputStream in = zip.getInputStream(zip.getEntry(paradigm))) {
                    List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .toList();
                    for (int line = from; line < Math.min(to, lines.size()); line++) {
                        TextRow pair = TextFiles.jsonRow(lines.get(line), paradigm + ", line " + (line + 1));
                        rows.add(new LabelledText(pair.get("sentence_good"), "acceptable"));
                        rows.add(new LabelledText(pair.get("sentence_bad"), "unacceptable"));
                    }
                }
            }
            return rows;
        } catch (IOException e) {
            throw TextFiles.unreadable(file, e);
        }
    }

    private static ClassificationData snips(Path folder) {
        List<LabelledText> train = new ArrayList<>();
        List<LabelledText> test = new ArrayList<>();
        for (Path file : files(folder)) {
            Matcher name = SNIPS_FILE.matcher(file.getFileName().toString());
            if (name.matches()) {
                (name.group(1).equals("train") ? train : test).addAll(queries(file, name.group(2)));
            }
        }
        if (train.isEmpty() || test.isEmpty()) {
            throw new InvalidFileException(folder.getFileName()
                    + ": expected the files of banking77 (train.csv), e2e_nlg (devset.csv), BLiMP (BLiMP.zip) or snips"
                    + " (train_*.json and validate_*.json), found none of them; name the data set's folder");
        }
        return new ClassificationData(train, test);
    }

    private static List<Path> files(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw TextFiles.unreadable(folder, e);
        }
    }

    /** A query is a list of pieces of text, of which some are slots. The files are in Latin-1. */
    private static List<LabelledText> queries(Path file, String intent) {
        String name = file.getFileName().toString();
        String json;
        try {
            json = Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw TextFiles.unreadable(file, e);
        }
        List<LabelledText> rows = new ArrayList<>();
        for (JsonElement query : array(Json.parse(json, name), intent, name)) {
            StringBuilder text = new StringBuilder();
            for (JsonElement piece : array(query, "data", name)) {
                if (piece instanceof JsonObject object && object.get("text") instanceof JsonPrimitive part) {
                    text.append(part.getAsString());
                }
            }
            rows.add(new LabelledText(text.toString().strip(), intent));
        }
        return rows;
    }

    private static JsonArray array(JsonElement of, String key, String file) {
        if (of instanceof JsonObject object && object.get(key) instanceof JsonArray array) {
            return array;
        }
        throw new InvalidFileException(file + ": expected a list under \"" + key + "\"; fetch the file again");
    }
}
