package io.peftj.methods.reft;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.InputFiles;
import io.peftj.core.io.Safetensors;
import io.peftj.core.io.TensorSource;
import io.peftj.core.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A directory that pyreft (the ReFT authors' library) saved: config.json and a file of parameters for each of its interventions, whose pickles were
 * turned into safetensors. It is read to be converted, and never written.
 *
 * <p>What pyreft does not save has to be said: which positions were edited. It also does not save dropout, which only training needs, nor an activation
 * function inside an intervention: one that was trained with any but the identity cannot be told from others, and would be converted to something else.
 */
public final class PyreftDirectory {
    private static final String CONFIG = "config.json";
    private static final Pattern POSITIONS = Pattern.compile("f(\\d{1,6})|l(\\d{1,6})|f(\\d{1,6})\\+l(\\d{1,6})");
    private static final Pattern BLOCK_BY_NAME = Pattern.compile("(?:.*\\.)?[a-z_]+\\[(\\d{1,6})\\]\\.output");
    private static final Pattern CLASS = Pattern.compile("<class '(?:.*\\.)?(\\w+)'>");

    private final Path folder;
    private final String source;
    private final List<Intervention> interventions;

    private PyreftDirectory(Path folder, String source, List<Intervention> interventions) {
        this.folder = folder;
        this.source = source;
        this.interventions = interventions;
    }

    /**
     * Which tokens of a prompt are edited, as pyreft writes it: "f7+l7", "f3" or "l1".
     *
     * @param first how many of the first, at least 0
     * @param last how many of the last, at least 0
     */
    public record Positions(int first, int last) {
        /**
         * Reads pyreft's way of writing.
         *
         * @throws InvalidConfigException if it is another
         */
        public static Positions parse(String text) {
            Matcher matcher = POSITIONS.matcher(text);
            if (!matcher.matches()) {
                throw new InvalidConfigException("positions: expected something like f7+l7, f3 or l1, as"
                        + " pyreft's position argument, found " + text);
            }
            String first = matcher.group(1) == null ? matcher.group(3) : matcher.group(1);
            String last = matcher.group(2) == null ? matcher.group(4) : matcher.group(2);
            return new Positions(
                    first == null ? 0 : Integer.parseInt(first), last == null ? 0 : Integer.parseInt(last));
        }
    }

    /** One of pyreft's interventions: behind which layer, in which file. */
    private record Intervention(int layer, String file, PyreftIntervention type) {}

    /**
     * Looks at a directory.
     *
     * @throws InvalidFileException if it is none of pyreft's, or one whose interventions are not at the outputs of layers, or not of one kind of the
     *     family
     */
    public static PyreftDirectory open(Path folder) {
        ConfigReader config = ConfigReader.read(folder.resolve(CONFIG));
        String source = InputFiles.shortName(folder);
        JsonElement representations = config.json().get("representations");
        List<String> types = config.strings("intervention_types");
        if (!(representations instanceof JsonArray array) || array.isEmpty() || array.size() != types.size()) {
            throw config.error(
                    "representations",
                    "a list of interventions, as many as under \"intervention_types\"",
                    "check that pyreft saved this folder");
        }
        Map<String, Integer> sameBefore = new HashMap<>();
        List<Intervention> interventions = new ArrayList<>();
        for (int i = 0; i < types.size(); i++) {
            Representation place = Representation.of(array.get(i), config);
            int number = sameBefore.merge(place.key(), 1, Integer::sum) - 1;
            String file = "intkey_" + place.key() + "#" + number + ".safetensors";
            interventions.add(new Intervention(place.layer(), file, type(types.get(i), config)));
        }
        PyreftDirectory directory = new PyreftDirectory(folder, source, List.copyOf(interventions));
        directory.refuseOtherFiles();
        return directory;
    }

    /** Where an intervention acts; key is what pyvene calls it. */
    private record Representation(int layer, String key) {
        /** pyvene's named tuple: layer, component, unit, max_number_of_units, low_rank_dimension and others, as a list or by name. */
        static Representation of(JsonElement json, ConfigReader config) {
            try {
                JsonElement component = field(json, 1, "component");
                String name = component.getAsString();
                String rest = "_unit_" + field(json, 2, "unit").getAsString().replace('.', '_') + "_nunit_"
                        + field(json, 3, "max_number_of_units").getAsInt();
                if (!name.contains(".")) {
                    int layer = field(json, 0, "layer").getAsInt();
                    if (name.equals("block_output")) {
                        return new Representation(layer, "layer_" + layer + "_comp_" + name + rest);
                    }
                }
                Matcher byName = BLOCK_BY_NAME.matcher(name);
                if (byName.matches()) {
                    return new Representation(
                            Integer.parseInt(byName.group(1)), "comp_" + name.replace('.', '_') + rest);
                }
                throw config.error(
                        "representations",
                        "interventions at \"block_output\" or at a layer's \"….layers[0].output\"",
                        "others are not implemented");
            } catch (IllegalStateException | UnsupportedOperationException | NumberFormatException e) {
                throw config.error(
                        "representations", "lists of layer, component, unit and so on", "check that pyreft saved it");
            }
        }

        private static JsonElement field(JsonElement json, int number, String name) {
            JsonElement found = null;
            if (json instanceof JsonArray array && array.size() > number) {
                found = array.get(number);
            } else if (json instanceof JsonObject object) {
                found = object.get(name);
            }
            if (found == null || !found.isJsonPrimitive()) {
                throw new IllegalStateException(name);
            }
            return found;
        }
    }

    private static PyreftIntervention type(String python, ConfigReader config) {
        Matcher matcher = CLASS.matcher(python);
        return (matcher.matches() ? PyreftIntervention.named(matcher.group(1)) : PyreftIntervention.named(python))
                .orElseThrow(() -> config.error(
                        "intervention_types",
                        "classes among " + PyreftIntervention.names(),
                        "others are not of the family, or not implemented"));
    }

    /** Pickles, and such as pytorch_model.safetensors, which holds what was trained of the model itself. */
    private void refuseOtherFiles() {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.{bin,pt,safetensors}")) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (name.startsWith("intkey_") && name.endsWith(".bin")) {
                    throw new InvalidFileException(source + ": expected safetensors, found the pickle " + name
                            + ", which can run any code when it is loaded and is never read; if you trust it, convert"
                            + " the folder once: python docs/interop/pyreft_to_safetensors.py " + source);
                }
                if (interventions.stream().noneMatch(each -> each.file().equals(name))) {
                    throw new InvalidFileException(source + ": expected the files of the interventions in " + CONFIG
                            + ", found " + name + " too; parameters of the model itself are not converted: convert the"
                            + " folder without it, and the model with Python");
                }
            }
        } catch (IOException e) {
            throw InputFiles.unreadable(folder, e);
        }
    }

    /**
     * The adapter. Lengths of prompts are counted as pyreft's data sets do, without their last token.
     *
     * <p>A LoReFT whose rotations have lost their orthonormal rows, as pyreft's do when a saved one is trained on, becomes a NoReFT, which computes the
     * same with a free matrix in R's place.
     *
     * @param positions what it was trained with
     * @param taskType what the adapted model is for; null for nothing in particular
     * @throws InvalidFileException if a file is missing, damaged or holds other parameters, or the positions do not go with the files
     */
    public Adapter convert(Positions positions, @Nullable TaskType taskType) {
        PyreftIntervention type = interventions.get(0).type();
        if (interventions.stream().anyMatch(each -> each.type() != type)) {
            throw new InvalidFileException(source
                    + ": expected interventions of one class, found "
                    + interventions.stream()
                            .map(each -> each.type().className())
                            .distinct()
                            .toList()
                    + "; an adapter is of one member of the family: convert them one by one");
        }
        List<Integer> layers =
                interventions.stream().map(Intervention::layer).distinct().toList();
        List<String> parts = parts(layers, positions);
        ReftVariant variant = type.variant();
        Map<String, HostTensor> parameters = new LinkedHashMap<>();
        for (int i = 0; i < interventions.size(); i++) {
            Intervention each = interventions.get(i);
            String prefix = "layers." + each.layer() + "." + parts.get(i / layers.size()) + ".";
            try (TensorSource file = Safetensors.open(folder.resolve(each.file()))) {
                PyreftIntervention.Parameters found = type.read(file);
                if (variant == ReftVariant.LOREFT && !Orthonormality.holds(found.rotate())) {
                    variant = ReftVariant.NOREFT;
                }
                found.addTo(parameters, prefix);
            }
        }
        int rank = parameters.values().iterator().next().shape().dim(0);
        ReftConfig config = ReftConfig.builder()
                .variant(variant)
                .rank(rank)
                .layers(layers)
                .positions(positions.first(), positions.last())
                .shareWeights(parts.size() == 1)
                .lengthOffset(-1)
                .headOfTask(false)
                .taskType(taskType)
                .build();
        return new Adapter(
                new ReftMethod().type(), config, requireEqualShapes(parameters), TaskData.NONE, null, new JsonObject());
    }

    /** The names of the sets of parameters, as many as each layer has; pyreft's list has all layers with the first ones, then all with the last ones. */
    private List<String> parts(List<Integer> layers, Positions positions) {
        boolean both = positions.first() > 0 && positions.last() > 0;
        int sets = interventions.size() / layers.size();
        List<Integer> listed = interventions.stream().map(Intervention::layer).toList();
        List<Integer> twice = new ArrayList<>(layers);
        twice.addAll(layers);
        if (!listed.equals(layers) && !listed.equals(twice)) {
            throw new InvalidFileException(source
                    + ": expected each layer once, or all of them twice in the same order,"
                    + " for first and for last positions, found " + listed + "; only what pyreft's own training lays"
                    + " out so is converted");
        }
        if (sets == 2 && !both) {
            throw new InvalidFileException(source + ": expected positions such as f7+l7, since layers have two sets of"
                    + " parameters, found f" + positions.first() + "+l" + positions.last()
                    + "; say what it was trained with");
        }
        return sets == 2 ? List.of("first", "last") : List.of("all");
    }

    private Map<String, HostTensor> requireEqualShapes(Map<String, HostTensor> parameters) {
        Map<String, HostTensor> firstOfItsName = new HashMap<>();
        parameters.forEach((name, value) -> {
            HostTensor first = firstOfItsName.putIfAbsent(name.substring(name.lastIndexOf('.')), value);
            if (first != null && !first.shape().equals(value.shape())) {
                throw new InvalidFileException(
                        source + ": expected parameters of one rank and width, found " + name + " of " + value.shape()
                                + " beside others of " + first.shape() + "; convert such interventions one by one");
            }
        });
        return Collections.unmodifiableMap(parameters);
    }
}
