package io.peftj.core.io;

import io.peftj.core.InvalidFileException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A fixed set of tensors under their names: what every reader of a file format hands out. */
public final class NamedTensors implements TensorSource {
    private final String description;
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    private volatile boolean closed;

    /**
     * Collects tensors.
     *
     * @param description where they come from, for messages
     * @throws InvalidFileException if two have one name
     */
    public NamedTensors(String description, Collection<StoredTensor> tensors) {
        this.description = description;
        for (StoredTensor tensor : tensors) {
            @Nullable StoredTensor other = this.tensors.putIfAbsent(tensor.name(), tensor);
            if (other != null) {
                throw new InvalidFileException(description + ": expected each name once, found " + other + " and "
                        + tensor + "; save the model again");
            }
        }
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public List<String> names() {
        return List.copyOf(tensors.keySet());
    }

    @Override
    public boolean contains(String name) {
        return tensors.containsKey(name);
    }

    @Override
    public StoredTensor find(String name) {
        if (closed) {
            throw new IllegalStateException("find(\"" + name + "\") on " + description + ", which was closed");
        }
        @Nullable StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw NearNames.absent(description, name, tensors.keySet());
        }
        return tensor;
    }

    @Override
    public void close() {
        closed = true;
    }
}
