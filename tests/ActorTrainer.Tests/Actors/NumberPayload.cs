using ActorTrainer.Actors.DataPlane;

namespace ActorTrainer.Tests.Actors;

/// <summary>A payload that is no tensor: the pipeline must not care.</summary>
internal sealed class NumberPayload(params double[] values) : IPayload
{
    public double[] Values { get; } = values;

    public bool IsDisposed { get; private set; }

    public long WireSize => 4 + 8L * Values.Length;

    public void Write(Stream stream)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(Values.Length);
        foreach (var value in Values)
        {
            writer.Write(value);
        }
    }

    public void Dispose() => IsDisposed = true;
}

internal sealed class NumberPayloadReader : IPayloadReader
{
    public IPayload Read(Stream stream)
    {
        using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        var values = new double[reader.ReadInt32()];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = reader.ReadDouble();
        }

        return new NumberPayload(values);
    }
}
