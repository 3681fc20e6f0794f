package io.peftj.examples.cli;

import com.google.gson.JsonArray;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.TaskType;
import io.peftj.djl.backbone.Backbones;
import io.peftj.methods.reft.PyreftDirectory;
import io.peftj.methods.reft.ReftConfig;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Turns an adapter that another library saved into one that this library opens. */
@Command(
        name = "convert",
        header = "Turns a directory that pyreft saved into an adapter.",
        description = {
            "Reads the config.json and the intkey_… files that pyreft's ReftModel.save wrote, turned from pickles into safetensors"
                    + " by docs/interop/pyreft_to_safetensors.py, and writes an adapter of type LOREFT.",
            "pyreft does not save which positions it edited, nor its dropout and activation function: --positions says the"
                    + " first, dropout is 0 from here on, and interventions with an activation function cannot be converted."
        })
final class ConvertCommand implements Callable<Integer> {
    @Spec
    private CommandSpec command;

    @Option(names = "--pyreft", required = true, paramLabel = "DIR", description = "The directory that pyreft saved.")
    private Path pyreft;

    @Option(
            names = "--positions",
            required = true,
            paramLabel = "P",
            description = "pyreft's position argument: which tokens of a prompt are edited, such as f7+l7, f3 or l1.")
    private String positions;

    @Option(
            names = "--task",
            paramLabel = "TASK",
            description = "What the adapted model is for: one of ${COMPLETION-CANDIDATES}; CAUSAL_LM if not given.")
    private TaskType task = TaskType.CAUSAL_LM;

    @Option(
            names = "--model",
            paramLabel = "DIR",
            description = "The base model, to check that the adapter fits it; not checked if not given.")
    private @Nullable Path model;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Where the adapter goes.")
    private Path out;

    @Override
    public Integer call() {
        Adapter adapter = PyreftDirectory.open(pyreft).convert(PyreftDirectory.Positions.parse(positions), task);
        if (model != null) {
            AdapterFiles.check(adapter, Backbones.spec(model));
        }
        AdapterFiles.save(adapter, out);
        ReftConfig config = (ReftConfig) adapter.config();
        JsonArray layers = new JsonArray();
        config.layers().forEach(layers::add);
        new JsonLine()
                .put("type", adapter.type())
                .put("variant", config.variant().key())
                .put("r", config.rank())
                .put("layers", layers)
                .put("share_weights", config.shareWeights())
                .print(command.commandLine().getOut());
        return 0;
    }
}
