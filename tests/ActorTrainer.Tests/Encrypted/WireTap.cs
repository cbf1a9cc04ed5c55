using System.Collections.Concurrent;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>Shows all bytes of a run to a search, on the threads that move them.</summary>
internal sealed class WireTap(SecretSearch search) : IDisposable
{
    private static readonly ConcurrentDictionary<string, WireTap> Open = new();

    private readonly string _name = $"{Guid.NewGuid():N}";

    /// <summary>Bytes that were looked at, by where they were.</summary>
    public ConcurrentDictionary<string, long> Bytes { get; } = new();

    /// <summary>Where the secret was found, and in which form.</summary>
    public ConcurrentQueue<(string Where, string Form)> Found { get; } = new();

    /// <summary>For the actor system whose messages are to be seen; until this is disposed.</summary>
    public Config Settings()
    {
        Open[_name] = this;
        return ConfigurationFactory.ParseString(
            $$"""
            akka.actor.serializers.actortrainer = "{{typeof(Serializer).FullName}}, {{typeof(Serializer).Assembly.GetName().Name}}"
            wire-tap = "{{_name}}"
            """);
    }

    public IPayloadReader Around(IPayloadReader reader) => new Reader(this, reader);

    public Action<PeerConnection> Around(Action<PeerConnection> handler) => connection =>
    {
        using var stream = new TappedStream(connection.Stream);
        handler(new PeerConnection(stream, connection.Node, connection.Incarnation));
        Look("requests", stream.Taken.ToArray());
        Look("answers", stream.Given.ToArray());
    };

    /// <summary>All files of a folder.</summary>
    public void LookInto(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            Look("files", File.ReadAllBytes(file));
        }
    }

    public void Look(string where, ReadOnlySpan<byte> bytes)
    {
        var count = bytes.Length;
        Bytes.AddOrUpdate(where, count, (_, before) => before + count);
        if (search.Find(bytes) is { } form)
        {
            Found.Enqueue((where, form));
        }
    }

    public void Dispose() => Open.TryRemove(_name, out _);

    private sealed class Reader(WireTap tap, IPayloadReader reader) : IPayloadReader
    {
        public IPayload Read(Stream stream)
        {
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            tap.Look("payloads", copy.ToArray());
            copy.Position = 0;
            return reader.Read(copy);
        }
    }

    /// <summary>The serializer of a run, which shows what it writes.</summary>
    public sealed class Serializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
    {
        private readonly WireSerializer _inner = new(system);
        private readonly string _tap = system.Settings.Config.GetString("wire-tap");

        public override int Identifier => _inner.Identifier;

        public override string Manifest(object o) => _inner.Manifest(o);

        public override byte[] ToBinary(object obj)
        {
            var bytes = _inner.ToBinary(obj);
            Open[_tap].Look("messages", bytes);
            return bytes;
        }

        public override object FromBinary(byte[] bytes, string manifest) => _inner.FromBinary(bytes, manifest);
    }

    /// <summary>Keeps what goes through it.</summary>
    private sealed class TappedStream(Stream inner) : Stream
    {
        public MemoryStream Taken { get; } = new();

        public MemoryStream Given { get; } = new();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var count = inner.Read(buffer);
            Taken.Write(buffer[..count]);
            return count;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Given.Write(buffer);
            inner.Write(buffer);
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing) => inner.Dispose();
    }
}
