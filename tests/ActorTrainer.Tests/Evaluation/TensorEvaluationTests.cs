using ActorTrainer.Actors.Evaluation;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using ActorTrainer.Tests.Checkpoints;
using TorchSharp;
using Xunit;

namespace ActorTrainer.Tests.Evaluation;

public sealed class TensorEvaluationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ContentStore _store;
    private readonly SampleRows _rows = new("dev", 21, TinyCheckpoint.Sequence, TinyCheckpoint.Arch.Vocabulary);

    public TensorEvaluationTests()
    {
        _store = new ContentStore(_folder.Path);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, PaddingKind.Longest)]
    [InlineData(false, PaddingKind.Full)]
    [InlineData(true, PaddingKind.Longest)]
    [InlineData(true, PaddingKind.Full)]
    public void Padded_batches_of_a_checkpoint_have_the_logits_of_rows_taken_one_by_one(bool lora, PaddingKind padding)
    {
        using var evaluation = Evaluation();
        evaluation.Load(TinyCheckpoint.Save(_store, 5, lora, padding));

        var outputs = evaluation.Compute("dev", 0, 21, 4);

        AssertClose(TinyCheckpoint.Expected(_rows, 5, lora), outputs);
        AssertClose(outputs[14..34], evaluation.Compute("dev", 7, 10, 64));
    }

    [Fact]
    public void A_second_checkpoint_takes_the_place_of_the_first_also_where_units_are_the_same()
    {
        using var evaluation = Evaluation();
        var first = TinyCheckpoint.Save(_store, 5, lora: true);
        var second = TinyCheckpoint.Save(_store, 6, lora: true);
        evaluation.Load(first);
        evaluation.Load(second);

        AssertClose(TinyCheckpoint.Expected(_rows, 6, lora: true), evaluation.Compute("dev", 0, 21, 8));

        evaluation.Load(first);
        AssertClose(TinyCheckpoint.Expected(_rows, 5, lora: true), evaluation.Compute("dev", 0, 21, 8));
    }

    [Fact]
    public void A_unit_without_a_state_starts_as_its_base()
    {
        var model = TinyCheckpoint.Save(_store, 5);
        var based = model with { Objects = model.Objects.Where(o => o.Key.StartsWith("base/", StringComparison.Ordinal)).ToDictionary() };
        var copied = model with { Objects = based.Objects.ToDictionary(o => o.Key["base/".Length..], o => o.Value) };
        using var evaluation = Evaluation();
        evaluation.Load(model);
        var learned = evaluation.Compute("dev", 0, 21, 8);

        evaluation.Load(based);
        var start = evaluation.Compute("dev", 0, 21, 8);
        evaluation.Load(copied);

        Assert.NotEqual(learned, start);
        Assert.Equal(start, evaluation.Compute("dev", 0, 21, 8));
    }

    [Fact]
    public void A_checkpoint_that_lacks_a_unit_is_refused_by_name_and_the_next_one_is_read_whole()
    {
        using var evaluation = Evaluation();
        var model = TinyCheckpoint.Save(_store, 5, lora: true);
        evaluation.Load(TinyCheckpoint.Save(_store, 6, lora: true));

        var refused = Assert.Throws<RefusedException>(() =>
            evaluation.Load(model with { Objects = model.Objects.Where(o => o.Key != "base/layers.1").ToDictionary() }));
        evaluation.Load(model);

        Assert.Contains("layers.1", refused.Message);
        AssertClose(TinyCheckpoint.Expected(_rows, 5, lora: true), evaluation.Compute("dev", 0, 21, 8));
    }

    [Fact]
    public void Rows_of_another_task_unknown_splits_and_rows_beyond_the_end_are_refused()
    {
        using var evaluation = Evaluation(new SampleRows("mnli", 3, TinyCheckpoint.Sequence, 11, GlueTask.Mnli), new SampleRows("long", 3, 64, 11));
        evaluation.Load(TinyCheckpoint.Save(_store, 5));

        Assert.Contains("2 outputs", Assert.Throws<RefusedException>(() => evaluation.Compute("mnli", 0, 3, 8)).Message);
        Assert.Contains("64 tokens", Assert.Throws<RefusedException>(() => evaluation.Compute("long", 0, 3, 8)).Message);
        Assert.Contains("21 rows", Assert.Throws<RefusedException>(() => evaluation.Compute("dev", 20, 2, 8)).Message);
        Assert.Contains("no split 'test'", Assert.Throws<RefusedException>(() => evaluation.Compute("test", 0, 1, 8)).Message);
    }

    [Fact]
    public void A_folder_is_read_by_the_loader_and_functions_stand_in()
    {
        var seen = new CountingFunctions();
        using var evaluation = new TensorEvaluation(new TensorEvaluationSettings
        {
            Splits = new Dictionary<string, IEncodedRows> { ["dev"] = _rows },
            Folder = folder => folder == "there"
                ? [.. Enumerable.Range(0, UnitFactory.Count(TinyCheckpoint.Arch)).Select(i => UnitFactory.Create(TinyCheckpoint.Arch, i, 1, fineTune: TinyCheckpoint.Shape(false)))]
                : throw new RefusedException($"no model in {folder}"),
            Functions = seen,
        });

        evaluation.Load(new EvaluationModel("", new Dictionary<string, string>(), "there"));

        Assert.Equal(42, evaluation.Compute("dev", 0, 21, 8).Length);
        Assert.True(seen.Pooled > 0);
        Assert.Throws<RefusedException>(() => evaluation.Load(new EvaluationModel("", new Dictionary<string, string>(), "elsewhere")));
    }

    [Fact]
    public void Each_thread_keeps_its_own_number_of_torch_threads()
    {
        using var oneSet = new ManualResetEventSlim();
        using var otherSet = new ManualResetEventSlim();
        var (one, other) = (0, 0);
        var first = new Thread(() =>
        {
            ActorTrainer.Model.Common.TorchThreads.Use(3);
            oneSet.Set();
            otherSet.Wait(TimeSpan.FromSeconds(20));
            using var product = torch.ones(300, 300).matmul(torch.ones(300, 300)).exp();
            one = torch.get_num_threads();
        });
        var second = new Thread(() =>
        {
            oneSet.Wait(TimeSpan.FromSeconds(20));
            ActorTrainer.Model.Common.TorchThreads.Use(1);
            otherSet.Set();
            using var product = torch.ones(300, 300).matmul(torch.ones(300, 300)).exp();
            other = torch.get_num_threads();
        });
        first.Start();
        second.Start();
        first.Join();
        second.Join();

        Assert.Equal((3, 1), (one, other));
    }

    internal static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.Item1, pair.Item2, 1e-4f));
    }

    private TensorEvaluation Evaluation(params SampleRows[] more) => new(new TensorEvaluationSettings
    {
        Splits = more.Append(_rows).ToDictionary(r => r.Name, r => (IEncodedRows)r),
        Store = _store,
    });

    private sealed class CountingFunctions : IPointFunctions
    {
        public int Pooled { get; private set; }

        public torch.Tensor Apply(FunctionSite site, torch.Tensor input)
        {
            Pooled += site.Function == PointFunction.Tanh ? 1 : 0;
            return site.Function switch
            {
                PointFunction.Tanh => input.tanh(),
                PointFunction.NormInverseRoot => input.rsqrt(),
                _ => throw new InvalidOperationException(site.ToString()),
            };
        }
    }
}
