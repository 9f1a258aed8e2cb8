#pragma once

#include "distil/response/sampled/kl_estimators.hpp"
#include "distil/response/softmax/partition_kernel.hpp"
#include "distil/response/teacher/teacher_reader.hpp"

namespace distil {

/// The teacher as the log-probabilities of the sampled tokens alone, one per row, in nats: what an inference server
/// gives. They are taken as they are; the temperature of the loss does not move them.
struct sampled_log_probabilities {
  row_parameter values;
};

}  // namespace distil

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// log p(x) of the rows of a tile.
template <class T, class Teacher>
class sampled_side;

/// Log-probabilities that are known.
template <class T>
class sampled_side<T, sampled_log_probabilities> {
 public:
  struct operands {
    template <class Term>
    operands(simd::axis, Term const&) {}
    DISTIL_INLINE simd::nothing open(simd::tile const&, simd::block const&) { return {}; }
  };
  struct adds_exponentials {
    DISTIL_INLINE void operator()(simd::lanes<T>&, simd::nothing, index) const {}
  };

  template <class Term>
  DISTIL_INLINE sampled_side(Term const&, simd::tile const&) {}
  DISTIL_INLINE void observe(simd::nothing, simd::block const&) {}
  [[nodiscard]] DISTIL_INLINE adds_exponentials summand() const { return {}; }
  DISTIL_INLINE void fold(simd::lanes<T>) {}
  DISTIL_INLINE void join(sampled_side const&) {}
  template <class Term>
  DISTIL_INLINE void look_up(Term const& term, index row, index, std::size_t lane) {
    log_p_[lane] = term.teacher.values[row];
  }
  DISTIL_INLINE void close() {}
  [[nodiscard]] DISTIL_INLINE double log_probability(std::size_t lane) const { return log_p_[lane]; }

 private:
  double log_p_[static_cast<std::size_t>(simd::lanes<T>::size)] = {};
};

/// A matrix, whose rows must be summed.
template <class T, class Storage, teacher_form Form>
class sampled_side<T, dense_teacher<Storage, Form>> {
  using lanes = simd::lanes<T>;
  using reader = teacher_reader<T, Form>;
  static constexpr std::size_t lane_count = static_cast<std::size_t>(lanes::size);

 public:
  struct operands : reader {
    template <class Term>
    operands(simd::axis way, Term const& term) : reader(way, term.teacher) {}
  };

  struct adds_exponentials {
    lanes sharpness, shift;
    DISTIL_INLINE void operator()(lanes& sum, simd::strip<T> stored, index k) const {
      sum += exp2_nonpositive((reader::logit(stored[k]) - shift) * sharpness);
    }
  };

  template <class Term>
  DISTIL_INLINE sampled_side(Term const& term, simd::tile const& rows)
      : axis_(rows.axis),
        sharpness_(rows.per_row<T>([&](index row) { return simd::log2e / term.teacher_temperature(row); })) {}

  DISTIL_INLINE void observe(simd::strip<T> stored, simd::block const& here) {
    raise(axis_.max(reader::logit(simd::block_maximum<T>(stored, here))));
  }
  [[nodiscard]] DISTIL_INLINE adds_exponentials summand() const { return {sharpness_, maximum_.shift()}; }
  DISTIL_INLINE void fold(lanes sum) { sum_ += sum; }
  DISTIL_INLINE void join(sampled_side other) {
    raise(other.maximum_.now);
    other.raise(maximum_.now);
    sum_ += other.sum_;
  }

  template <class Term>
  DISTIL_INLINE void look_up(Term const& term, index row, index column, std::size_t lane) {
    double const stored = detail::widen<double>(term.teacher.matrix(row, column));
    logit_[lane] = Form == teacher_form::probabilities ? std::log(stored) : stored;
    temperature_[lane] = term.teacher_temperature(row);
  }
  DISTIL_INLINE void close() {
    log_of_rows(axis_.sum(sum_)).store(log_sum_);
    maximum_.shift().store(shift_);
  }
  [[nodiscard]] DISTIL_INLINE double log_probability(std::size_t lane) const {
    return (logit_[lane] - static_cast<double>(shift_[lane])) / temperature_[lane] -
           static_cast<double>(log_sum_[lane]);
  }

 private:
  DISTIL_INLINE void raise(lanes top) {
    if (!maximum_.raise_sums(top)) return;
    sum_ *= maximum_.decay(sharpness_);
    maximum_.settle();
  }

  simd::axis axis_;
  lanes sharpness_;
  simd::running_maximum<T> maximum_;
  lanes sum_{0};
  double logit_[lane_count] = {}, temperature_[lane_count] = {};
  T log_sum_[lane_count], shift_[lane_count];
};

/// Rows of an estimator k(log p(x), log q(x)) for one sampled class x, with q = softmax(z / T):
///
///   value = k        dL/dz = k' (e_x - q) / T, k' = dk / d log q
///
/// All but q is known once the row's partition sum is; e_x is a patch of one element.
template <class T, class Term>
class sampled_kl_kernel : public partition_kernel<T> {
  using base = partition_kernel<T>;
  using side = sampled_side<T, decltype(Term::teacher)>;
  using lanes = simd::lanes<T>;
  static constexpr std::size_t lane_count = static_cast<std::size_t>(lanes::size);

 public:
  using operands = typename side::operands;

  struct partial {
    typename base::partial student;
    lanes teacher{0};
  };

  template <class Student>
  DISTIL_INLINE sampled_kl_kernel(Term const& term, Student const& student, simd::tile const& rows,
                                  lanes scale)
      : base(term, student, rows, scale),
        teacher_(term, rows),
        estimator_(term.estimator),
        limit_(term.limit),
        advantage_coefficient_(term.advantage_coefficient) {}

  template <class Strips>
  DISTIL_INLINE void observe(Strips const& strips, simd::block const& here) {
    teacher_.observe(strips, here);
  }

  struct adds_both {
    typename base::adds_exponentials student;
    typename side::adds_exponentials teacher;

    template <class Strips, class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, Strips const& strips,
                                  index k, Keep const& keep) const {
      student(sums.student, z, strips, k, keep);
      teacher(sums.teacher, strips, k);
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_both summand() const { return {{}, teacher_.summand()}; }
  DISTIL_INLINE void fold(partial const& sums) {
    base::fold(sums.student);
    teacher_.fold(sums.teacher);
  }
  DISTIL_INLINE void join(sampled_kl_kernel const& other) {
    base::join(other);
    teacher_.join(other.teacher_);
  }

  template <class Student>
  DISTIL_INLINE void look_up(Term const& term, Student const& student, simd::tile const& rows) {
    for (index r = 0; r < rows.rows; ++r) {
      index const row = rows.first_row + r;
      auto const lane = static_cast<std::size_t>(r);
      if (term.ignored(row)) continue;
      index const column = static_cast<index>(term.ids[row]);
      logit_[lane] = detail::widen<double>(student(row, column));
      temperature_[lane] = term.temperature[row];
      teacher_.look_up(term, row, column, lane);
    }
  }

  DISTIL_INLINE void close(simd::running_maximum<T> const& maximum) {
    base::close(maximum);
    teacher_.close();
    T shift[lane_count], log_sum[lane_count], scale[lane_count];
    maximum.shift().store(shift);
    this->log_sum_.store(log_sum);
    this->scale_.store(scale);
    for (std::size_t lane = 0; lane < lane_count; ++lane) {
      if (temperature_[lane] == 0.0) continue;  // ignored, or past the last row
      double const log_q = (logit_[lane] - static_cast<double>(shift[lane])) / temperature_[lane] -
                           static_cast<double>(log_sum[lane]);
      sampled_estimate const estimate =
          estimate_of(estimator_, teacher_.log_probability(lane), log_q, limit_, advantage_coefficient_);
      value_[lane] = static_cast<T>(estimate.value);
      // A row that does not count has the scale 0, whatever it holds.
      if (scale[lane] != T(0)) {
        coefficient_[lane] = finite(static_cast<double>(scale[lane]) * estimate.slope / temperature_[lane]);
      }
    }
    probability_scale_ = -this->axis_.of_rows(coefficient_) / this->sum_;
  }

  [[nodiscard]] DISTIL_INLINE bool refines() const { return false; }
  [[nodiscard]] DISTIL_INLINE lanes value() const { return this->axis_.of_rows(value_); }

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return false; }
  [[nodiscard]] DISTIL_INLINE scaled_exponentials<T> gradient(lanes decay, simd::kept<T>) const {
    return {probability_scale_ * decay};
  }
  template <class Target>
  DISTIL_INLINE void patch(Term const& term, simd::tile const& rows, simd::block const& columns,
                           Target const& target) const {
    for (index r = 0; r < rows.rows; ++r) {
      index const row = rows.first_row + r;
      auto const lane = static_cast<std::size_t>(r);
      if (term.ignored(row) || logit_[lane] == -simd::infinity<double>) continue;
      index const column = static_cast<index>(term.ids[row]) - columns.first_column;
      if (column < 0 || column >= columns.columns) continue;
      target.element(r, column) += coefficient_[lane];
    }
  }

 private:
  /// The nearest number of T that is not infinite: times the probability of a masked class it must be 0.
  static DISTIL_INLINE T finite(double number) {
    T const rounded = static_cast<T>(number);
    if (!std::isinf(rounded)) return rounded;
    return std::copysign(std::numeric_limits<T>::max(), rounded);
  }

  side teacher_;
  kl_estimator estimator_;
  double limit_, advantage_coefficient_;
  double logit_[lane_count] = {}, temperature_[lane_count] = {};
  T value_[lane_count] = {}, coefficient_[lane_count] = {};
  lanes probability_scale_{0};
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
