using ActorTrainer.Model.Bert;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Bert;

public class TensorLeakTests
{
    [Theory]
    [InlineData(AttentionKind.Softmax)]
    [InlineData(AttentionKind.GaussianKernel)]
    public void Forward_and_backward_leave_no_tensors_behind(AttentionKind attention)
    {
        using var model = new BertForMlm(Tiny.Config(attention, dropout: 0.1), seed: 1);
        Assert.Equal(0, Escaped(model, 2));
        Assert.Equal(0, Escaped(model, 10));
    }

    [Fact]
    public void Parameters_survive_the_scope_they_were_built_in()
    {
        BertForMlm model;
        using (NewDisposeScope())
        {
            model = new BertForMlm(Tiny.Config(), seed: 1);
        }

        Escaped(model, 1);
        Assert.All(model.Parameters, parameter => Assert.False(parameter.Value.IsInvalid));
        model.Dispose();
        Assert.All(model.Parameters, parameter => Assert.True(parameter.Value.IsInvalid));
    }

    [Fact]
    public void A_head_gives_back_every_decoder_it_had()
    {
        using var head = new MlmHeadUnit(Tiny.Config(), seed: 1);
        using var table = EmbeddingUnit.InitialTable(Tiny.Config(), seed: 1);
        head.UntiedCopy(table);
        TorchSharp.DisposeScopeManager.Statistics.Reset();
        for (var i = 0; i < 3; i++)
        {
            head.TieTo(table);
            head.UntiedCopy(table);
        }

        Assert.Equal(0, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    /// <summary>
    /// Tensors of this thread that no scope disposed, gradients aside. Statistics are per thread, so tests that run beside
    /// this one do not disturb them, as they would the global count of live tensors.
    /// </summary>
    private static long Escaped(BertForMlm model, int steps)
    {
        var statistics = TorchSharp.DisposeScopeManager.Statistics;
        statistics.Reset();
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            model.Loss(Tiny.Ids(), Tiny.Positions(), Tiny.Labels(), 1, Tiny.Context, Tiny.Mask()).backward();
            model.ReduceTiedGradients();
        }

        return statistics.ThreadTotalLiveCount;
    }
}
