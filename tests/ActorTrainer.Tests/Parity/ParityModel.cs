using ActorTrainer.Model.Bert;

namespace ActorTrainer.Tests.Parity;

internal static class ParityModel
{
    /// <summary>Four layers of 32, dropout on: masks must not depend on the cut either.</summary>
    public static BertConfig Of(AttentionKind attention) => new()
    {
        Layers = 4,
        Hidden = 32,
        Heads = 4,
        FeedForward = 64,
        Vocabulary = 97,
        Sequence = 16,
        Attention = attention,
        Activation = attention == AttentionKind.Softmax ? GateActivation.Gelu : GateActivation.Relu,
        FusedQkv = attention == AttentionKind.Softmax,
        Dropout = 0.1,
    };
}
