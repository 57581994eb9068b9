"""A device is held to what is asked of it, before anything is timed there."""

from parabola.machine import backends, devices, host


def check(device: str) -> None:
    """Print what the backend sees, and check that a device holds tensors and multiplies them with float32's precision.

    Raises:
        RuntimeError: if a tensor is not on the device.
        SystemExit: if a product is less precise.
    """
    framework, full = backends.start(), devices.resolve(device)
    import keras
    import numpy as np

    with devices.scope(full)():
        variable = keras.Variable(np.full((64, 64), 1 + 2.0**-12, np.float32))
        devices.check_placement(variable.value, full)
        product = np.array(keras.ops.convert_to_numpy(keras.ops.matmul(variable, variable)))
    exact = 64 * (1 + 2.0**-12) ** 2  # TF32 has 10 bits of mantissa and would lose the 2⁻¹²
    print("\n".join(host.lines(host.facts())))
    print(f"{backends.backend()} {framework.__version__} has {', '.join(devices.available())}")
    print(f"a product of matrices on {full} is off by {abs(product[0, 0] / exact - 1):.1e} of it")
    if abs(product[0, 0] / exact - 1) > 1e-6:
        raise SystemExit(f"{full} multiplies with less than float32's precision")
