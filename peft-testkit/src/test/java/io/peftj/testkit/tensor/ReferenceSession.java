package io.peftj.testkit.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.testkit.reference.ReferenceBackend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A session on an exact backend for each test, which must give all memory back. */
abstract class ReferenceSession {
    ReferenceBackend backend;
    Session session;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.exact();
        session = Session.open(backend);
    }

    @AfterEach
    void nothingStaysAlive() {
        session.close();
        assertThat(backend.memory().liveBytes()).as("bytes alive after close").isZero();
    }

    Tensor vector(double... values) {
        return session.tensor(values, Shape.of(values.length));
    }

    Tensor matrix(int rows, double... values) {
        return session.tensor(values, Shape.of(rows, values.length / rows));
    }

    Tensor zeros(int... dims) {
        return session.zeros(Shape.of(dims), DType.F64);
    }

    Constant constant(float... values) {
        return Constant.of(backend, HostTensor.of(Shape.of(values.length), values), DType.F64);
    }
}
