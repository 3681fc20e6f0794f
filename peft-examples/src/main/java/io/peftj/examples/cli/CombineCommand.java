package io.peftj.examples.cli;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.WeightedAdapter;
import io.peftj.core.run.AdapterCombination;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Options;
import io.peftj.methods.lora.LoraCombination;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes the weighted sum of adapters as an adapter. */
@Command(
        name = "combine",
        header = "Adds up adapters of one method, with weights.",
        description = {
            "Adds up adapters of one method and one model, with weights of either sign, and writes one adapter: its change"
                    + " of the model is the sum of theirs, each times its weight.",
            "LoRA's ranks add up, unless --rank asks for the nearest sum of a rank. (IA)3, BitFit, full fine-tuning and heads"
                    + " can be added up too; what cannot is refused."
        })
final class CombineCommand implements Callable<Integer> {
    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "The base model of all adapters, a Hugging Face directory.")
    private Path model;

    @Option(
            names = "--adapter",
            required = true,
            paramLabel = "DIR=WEIGHT",
            description = "An adapter and how much of its change counts; once for each.")
    private List<String> adapters;

    @Option(
            names = "--rank",
            paramLabel = "R",
            converter = Numbers.Count.class,
            description = "LoRA's rank in the sum, which is then the nearest one of that rank, not the exact one.")
    private @Nullable Integer rank;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Where the adapter goes, a folder that does not exist yet or an adapter to replace.")
    private Path out;

    CombineCommand(ModelOpener opener) {
        this.opener = opener;
    }

    /** What one option says. */
    private record Term(Path folder, double weight) {
        /** Folders may have equals signs in their names, weights have none. */
        static Term parse(String given) {
            int equals = given.lastIndexOf('=');
            try {
                return new Term(
                        Path.of(given.substring(0, Math.max(0, equals))),
                        Double.parseDouble(given.substring(equals + 1)));
            } catch (NumberFormatException e) {
                throw new InvalidConfigException(
                        "--adapter " + given + ": expected DIR=WEIGHT, such as " + given + "=0.5; give the weight", e);
            }
        }
    }

    @Override
    public Integer call() {
        List<Term> given = adapters.stream().map(Term::parse).toList();
        try (Backbone base = opener.open(model, Options.defaults())) {
            WeightedAdapter[] terms = given.stream()
                    .map(term -> new WeightedAdapter(AdapterLoader.load(term.folder(), base), term.weight()))
                    .toArray(WeightedAdapter[]::new);
            Adapter sum =
                    rank == null ? AdapterCombination.exact(base, terms) : LoraCombination.nearest(base, rank, terms);
            sum.save(out);
            new JsonLine()
                    .put("type", sum.type())
                    .put("adapters", terms.length)
                    .put(
                            "parameters",
                            sum.parameters().values().stream()
                                    .mapToLong(value -> value.shape().size())
                                    .sum())
                    .print(command.commandLine().getOut());
        }
        return 0;
    }
}
