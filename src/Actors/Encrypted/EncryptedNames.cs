using ActorTrainer.He.Training;
using ActorTrainer.Model.Bert;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>Names of learned tensors: in the layouts of ciphertexts, and in models and adapter files.</summary>
public static class EncryptedNames
{
    /// <summary>The pairs of a unit, in the order of its layout.</summary>
    public static IReadOnlyList<(string Inner, string Outer)> Of(string unit) => unit == "head"
        ?
        [
            (HeadLayout.DownWeight, "pooler.lora_a.weight"),
            (HeadLayout.DownBias, "pooler.lora_a.bias"),
            (HeadLayout.UpWeight, "pooler.lora_b.weight"),
            (HeadLayout.UpBias, "pooler.lora_b.bias"),
            (HeadLayout.HeadWeight, "head.weight"),
            (HeadLayout.HeadBias, "head.bias"),
        ]
        :
        [
            .. Adapter("query", ParameterNames.QueryProjection, unit),
            .. Adapter("key", ParameterNames.KeyProjection, unit),
            .. Adapter("value", ParameterNames.ValueProjection, unit),
        ];

    private static (string Inner, string Outer)[] Adapter(string which, string projection, string unit) =>
    [
        (AdapterLayout.Down(which), $"encoder.{unit}.{ParameterNames.Adapter(projection, ParameterNames.LoraDown)}"),
        (AdapterLayout.Up(which), $"encoder.{unit}.{ParameterNames.Adapter(projection, ParameterNames.LoraUp)}"),
    ];
}
