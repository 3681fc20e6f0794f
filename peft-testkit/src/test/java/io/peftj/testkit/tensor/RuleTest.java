package io.peftj.testkit.tensor;

import io.peftj.testkit.operation.Operation;
import io.peftj.testkit.operation.Operations;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operation's rule against finite differences. */
class RuleTest {
    private static final long SEED = 20250117;

    static List<Operation> operations() {
        return Operations.all().stream().filter(Operation::isDifferentiated).toList();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("operations")
    void gradientIsThatOfFiniteDifferences(Operation operation) {
        operation.checkGradients(ReferenceBackend.exact(), SEED);
    }
}
