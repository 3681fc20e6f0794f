package io.peftj.examples.cli;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.io.AtomicFiles;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.site.OutputRange;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.TextEncoder;
import io.peftj.djl.diagnose.PromptVectors;
import io.peftj.examples.cli.chart.HeatMap;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The vectors that PEDRO makes of prompts, as a table and as a picture. */
final class PromptVectorsExport {
    private static final int SHOWN = 60;

    private final List<String> prompts;
    private final PromptVectors vectors;

    private PromptVectorsExport(List<String> prompts, PromptVectors vectors) {
        this.prompts = prompts;
        this.vectors = vectors;
    }

    /**
     * Reads prompts with an adapter.
     *
     * @throws InvalidConfigException if the adapter makes no vectors of prompts
     */
    static PromptVectorsExport of(Backbone base, LoadedAdapter loaded, List<String> prompts) {
        if (!PromptVectors.areMadeBy(loaded.plan())) {
            throw new InvalidConfigException(
                    "--vectors: expected an adapter that makes vectors of prompts, such as PEDRO," + " found "
                            + loaded.adapter().type());
        }
        TextEncoder encoder =
                TextEncoder.of(base, loaded.adapter().task(), loaded.plan().positionShift());
        List<int[]> ids = prompts.stream()
                .map(text -> base.spec().decoder() ? encoder.prompt(text) : encoder.row(text))
                .toList();
        try (ResidentAdapter adapter = AdapterLoader.resident(base, "adapter", loaded.adapter())) {
            PromptVectors found = PromptVectors.of(
                    base,
                    adapter::in,
                    stack -> IntStream.range(0, ids.size())
                            .mapToObj(i -> Row.of(stack, i, ids.get(i)))
                            .toList(),
                    () -> false);
            return new PromptVectorsExport(prompts, found);
        }
    }

    /** A line for each prompt, layer, scaled output and dimension. */
    void writeCsv(Path file) {
        StringBuilder csv = new StringBuilder("prompt,layer,site,dimension,value\n");
        for (int prompt = 0; prompt < prompts.size(); prompt++) {
            for (PromptVectors.Layer layer : vectors.layers()) {
                double[] values = layer.vectors().get(prompt);
                int at = 0;
                for (OutputRange outputs : layer.outputs()) {
                    for (int i = 0; i < outputs.size(); i++) {
                        csv.append(prompt).append(',').append(layer.layer()).append(',');
                        csv.append(outputs).append(',').append(i).append(',');
                        csv.append((float) values[at++]).append('\n');
                    }
                }
            }
        }
        AtomicFiles.write(file, AtomicFiles.Content.of(csv.toString()));
    }

    /** Layers below each other, dimensions beside each other, a panel for each prompt. */
    void writePicture(Path file) {
        HeatMap map = new HeatMap("what each prompt multiplies outputs by, layer by dimension", 1);
        List<HeatMap.Span> spans = new ArrayList<>();
        for (OutputRange outputs : vectors.layers().get(0).outputs()) {
            spans.add(new HeatMap.Span(role(outputs.toString()), outputs.size()));
        }
        List<String> rows =
                vectors.layers().stream().map(layer -> "layer " + layer.layer()).toList();
        for (int prompt = 0; prompt < prompts.size(); prompt++) {
            int number = prompt;
            List<double[]> values = vectors.layers().stream()
                    .map(layer -> layer.vectors().get(number))
                    .toList();
            map.panel(shown(prompts.get(prompt)), spans, rows, values);
        }
        map.write(file);
    }

    /** The end of a site's name. */
    private static String role(String outputs) {
        return outputs.substring(outputs.lastIndexOf('.') + 1);
    }

    private static String shown(String prompt) {
        String line = prompt.replaceAll("\\s+", " ");
        return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "…";
    }
}
