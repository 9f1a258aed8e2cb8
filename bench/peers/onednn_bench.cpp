#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>

#include "support/batch.hpp"
#include "support/registry.hpp"

// Softmax and log-softmax of oneDNN 2, forward and backward, one thread.
namespace {

using dnnl::memory;

/// Primitive, stream and the arguments it is executed with.
class softmax {
 public:
  softmax(bench::batch<float> const& batch, dnnl::algorithm algorithm, bool backward)
      : engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_),
        layout_({batch.size.rows, batch.size.classes}, memory::data_type::f32, memory::format_tag::ab) {
    dnnl::softmax_v2_forward::primitive_desc const forward(
        {backward ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference, algorithm,
         layout_, layout_, 1},
        engine_);
    if (backward) {
      primitive_ = dnnl::softmax_v2_backward({{algorithm, layout_, layout_, layout_, 1}, engine_, forward});
      arguments_ = {{DNNL_ARG_DST, of(batch.student.data())},
                    {DNNL_ARG_DIFF_DST, of(batch.teacher.data())},
                    {DNNL_ARG_DIFF_SRC, of(batch.gradient.data())}};
    } else {
      primitive_ = dnnl::softmax_v2_forward(forward);
      arguments_ = {{DNNL_ARG_SRC, of(batch.student.data())}, {DNNL_ARG_DST, of(batch.gradient.data())}};
    }
  }

  void operator()() {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  [[nodiscard]] memory of(float* data) const { return memory(layout_, engine_, data); }

  dnnl::engine engine_;
  dnnl::stream stream_;
  memory::desc layout_;
  dnnl::primitive primitive_;
  std::unordered_map<int, memory> arguments_;
};

void add(char const* operation, dnnl::algorithm algorithm, bool backward) {
  for (bench::shape const size : bench::shapes) {
    bench::add({"onednn", operation, "float", size.name(), backward ? "pull_back" : "output"},
               {size.elements(), (backward ? 3 : 2) * sizeof(float)}, [=]() -> bench::call {
                 omp_set_num_threads(1);
                 auto const& batch = bench::batch_of<float>(size);
                 return [&batch, primitive = softmax(batch, algorithm, backward)]() mutable {
                   primitive();
                   return static_cast<double>(batch.gradient.data()[0]);
                 };
               });
  }
}

bool const registered = [] {
  for (bool const backward : {false, true}) {
    add("softmax", dnnl::algorithm::softmax_accurate, backward);
    add("log_softmax", dnnl::algorithm::softmax_log, backward);
  }
  return true;
}();

}  // namespace
