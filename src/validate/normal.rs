//! The normal distribution.

/// Returns the probability below z.
pub fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// Returns the value below which a share p (0..1) lies.
///
/// Method: a rational start (Abramowitz and Stegun 26.2.23), then Newton steps with Halley's correction until nothing
/// changes; from the nearer tail, so that small p keeps its digits
pub fn quantile(p: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return if p == 0.0 {
            f64::NEG_INFINITY
        } else if p == 1.0 {
            f64::INFINITY
        } else {
            f64::NAN
        };
    }
    let tail = p.min(1.0 - p);
    let t = (-2.0 * tail.ln()).sqrt();
    let top = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let bottom = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    // The distance from the middle to the tail; positive.
    let mut z = t - top / bottom;
    for _ in 0..8 {
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let error = (0.5 * libm::erfc(z / std::f64::consts::SQRT_2) - tail) / density;
        let step = error / (1.0 - 0.5 * z * error);
        z += step;
        if step.abs() <= 1e-16 * z.abs() {
            break;
        }
    }
    if p < 0.5 { -z } else { z }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few of the values of the fixture f01 (60-digit arithmetic).
    #[test]
    fn known_values() {
        assert_eq!(cdf(0.0), 0.5);
        assert!((cdf(1.0) - 0.841_344_746_068_542_9).abs() < 1e-15);
        assert!((cdf(-8.0) / 6.220_960_574_271_785e-16 - 1.0).abs() < 1e-12);
        assert!((quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
        assert!((quantile(1e-10) + 6.361_340_902_404_056).abs() < 1e-12);
        assert!(quantile(0.5).abs() < 1e-15);
        for p in [1e-12, 0.001, 0.3, 0.77, 0.999_9] {
            assert!((cdf(quantile(p)) / p - 1.0).abs() < 1e-11, "{p}");
        }
        assert!(quantile(-0.1).is_nan() && quantile(1.0) == f64::INFINITY);
    }
}
