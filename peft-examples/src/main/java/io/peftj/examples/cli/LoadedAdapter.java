package io.peftj.examples.cli;

import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.LoadOptions;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.tensor.HostTensor;
import io.peftj.djl.backbone.Backbone;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An adapter from a file that fits a model.
 *
 * @param adapter what the file holds, its parameters in the plan's order
 * @param plan what it does on the model
 * @param head the classification head to use with it; null for a language model
 */
record LoadedAdapter(
        Adapter adapter, AdapterPlan plan, @Nullable HeadSpec head) {
    /**
     * Reads an adapter for a loaded model.
     *
     * @throws IncompatibleAdapterException if it was made for another
     */
    static LoadedAdapter load(Path folder, Backbone base) {
        LoadedAdapter loaded = load(folder, base.spec());
        String recorded = loaded.adapter().fingerprint();
        if (recorded != null) {
            Fingerprint.decode(recorded, folder.toString())
                    .differenceFrom(base.fingerprint())
                    .ifPresent(difference -> {
                        throw new IncompatibleAdapterException("the adapter " + folder.getFileName() + " was "
                                + difference + "; load it with the base model it was trained on");
                    });
        }
        return loaded;
    }

    /** Reads an adapter for a model of which only the configuration is known. */
    static LoadedAdapter load(Path folder, BackboneSpec model) {
        HeadSpec head = head(AdapterFiles.load(folder), model);
        BackboneSpec spec = head == null ? model : model.withHead(head);
        Adapter adapter = AdapterFiles.load(folder, spec, LoadOptions.STRICT);
        return new LoadedAdapter(adapter, AdapterMethods.plan(spec, adapter.config()), head);
    }

    /** The model's head, or with an adapter that brings one of its own, that. */
    private static @Nullable HeadSpec head(Adapter adapter, BackboneSpec model) {
        TaskType task = adapter.config().taskType();
        if (task == TaskType.SEQ_CLS || task == TaskType.FEATURE_EXTRACTION) {
            String weight = "." + model.headFor(1).name() + ".weight";
            for (Map.Entry<String, HostTensor> parameter : adapter.parameters().entrySet()) {
                if (parameter.getKey().endsWith(weight)) {
                    return model.headFor(parameter.getValue().shape().dim(0));
                }
            }
        }
        return model.head();
    }
}
