using System.Security.Cryptography;
using ActorTrainer.Actors;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using Xunit;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>The bytes of an encrypted run, all of them, against the secret key in every form that it could have.</summary>
public sealed class NoSecretLeavesTests : IDisposable
{
    private static readonly Seed KeySeed = new(SHA256.HashData("a seed that is nowhere else"u8));

    private readonly Bert.TemporaryFolder _folder = new();
    private readonly MadeTask _task = new(layers: 1, outputs: 2);
    private readonly MadeOwner _owner;
    private readonly IReadOnlyList<SecretForm> _forms;
    private readonly SecretSearch _search;

    public NoSecretLeavesTests()
    {
        _owner = new MadeOwner(_task, _folder.Path, KeySeed);
        _forms = SecretForms.Of(_owner.Context, _owner.Secret, KeySeed);
        _search = new SecretSearch(_forms);
    }

    [Fact]
    public async Task Neither_a_wire_nor_a_file_of_a_run_has_a_piece_of_the_secret_key_or_its_seed()
    {
        using var tap = new WireTap(_search);
        using (var run = RunFolder.Open(Path.Combine(_folder.Path, "run")))
        {
            var made = new MadeRun(_owner, run, Stages: 2, Steps: 1) { Handler = tap.Around(_owner.Server.Handle), Reading = tap.Around, Settings = tap.Settings() };

            var outcome = await made.Execute(_ => { });

            Assert.True(outcome.Kind == OutcomeKind.Completed, outcome.Message);
        }

        tap.LookInto(_folder.Path);
        Assert.Empty(tap.Found);
        // The taps did see the run: every refresh, the ciphertexts between stages, messages and the journal, keys and states in the store.
        var ciphertext = WireSize.Ciphertext(_owner.Context.Parameters, 0, seeded: true);
        Assert.True(tap.Bytes["requests"] > ciphertext * _owner.Seen.Count, $"{tap.Bytes["requests"]} bytes of requests");
        Assert.True(tap.Bytes["answers"] > ciphertext * _owner.Plan.Refreshes.Values.Sum(), $"{tap.Bytes["answers"]} bytes of answers");
        Assert.True(tap.Bytes["payloads"] > 4 * ciphertext, $"{tap.Bytes["payloads"]} bytes of payloads");
        Assert.True(tap.Bytes["messages"] > 1000, $"{tap.Bytes["messages"]} bytes of messages");
        Assert.True(tap.Bytes["files"] > WireSize.EvaluationKeys(_owner.Context.Parameters, _owner.Plan.Step.Keys), $"{tap.Bytes["files"]} bytes of files");
    }

    [Fact]
    public void The_search_finds_the_key_in_the_owners_own_file_and_memory()
    {
        var file = Path.Combine(_folder.Path, "secret.key");
        SecretKeyFile.Write(file, _owner.Context, _owner.Secret, new byte[SHA256.HashSizeInBytes]);

        Assert.Equal("two bits each", _search.Find(File.ReadAllBytes(file)));
        Assert.All(Enumerable.Range(0, _owner.Secret.Polynomial.Limbs), limb => Assert.StartsWith("transformed modulo", InMemory(limb)));
        unsafe string? InMemory(int limb) => _search.Find(new ReadOnlySpan<byte>(_owner.Secret.Polynomial[limb], _owner.Context.Parameters.Degree * sizeof(ulong)));
    }

    [Fact]
    public void The_search_finds_a_small_piece_of_every_form_at_any_offset_and_nothing_in_noise()
    {
        var random = new Random(1);
        var noise = new byte[4000];
        random.NextBytes(noise);
        Assert.Null(_search.Find(noise));
        foreach (var form in _forms)
        {
            var length = Math.Min((2 * form.Block) - 1, form.Bytes.Length);
            var bytes = noise.ToArray();
            form.Bytes.AsSpan(random.Next(form.Bytes.Length - length + 1), length).CopyTo(bytes.AsSpan(random.Next(bytes.Length - length)));

            Assert.True(_search.Find(bytes) is not null, form.Name);
        }

        Assert.All(_forms.Where(form => form.Name.StartsWith("transformed", StringComparison.Ordinal)), form => Assert.True(form.Block <= 32, form.Name));
    }

    [Fact]
    public void A_tap_sees_what_leaks()
    {
        using var tap = new WireTap(_search);
        using var wire = new MemoryStream();
        var leaked = _forms[0].Bytes;

        tap.Around((PeerConnection connection) => connection.Stream.Write(leaked))(new PeerConnection(wire, "a", "b"));

        Assert.Equal([("answers", "two bits each")], tap.Found);
        Assert.Equal(leaked, wire.ToArray());
    }

    public void Dispose()
    {
        _owner.Dispose();
        _task.Dispose();
        _folder.Dispose();
    }
}
