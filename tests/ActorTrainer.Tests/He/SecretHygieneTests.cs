using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Serialization;
using System.Security.Cryptography;
using System.Text.Json;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Seal;
using ActorTrainer.He.Wire;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed unsafe class SecretHygieneTests
{
    private const BindingFlags Every = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>All types that hold a secret key or a secret seed, directly or in what they hold.</summary>
    private static readonly HashSet<Type> Holders = AllHolders();

    [Fact]
    public void What_holds_a_secret_is_known()
    {
        Assert.Superset(new HashSet<Type> { typeof(SecretKey), typeof(Randomness), typeof(KeyGenerator), typeof(Encryptor), typeof(Decryptor) }, Holders);
        Assert.DoesNotContain(typeof(CkksContext), Holders);
        Assert.DoesNotContain(typeof(EvaluationKeys), Holders);
        Assert.DoesNotContain(typeof(Evaluator), Holders);
    }

    [Fact]
    public void Nothing_that_holds_a_secret_is_taken_or_given_by_the_wire()
    {
        var methods = typeof(WireWriter).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(WireWriter).Namespace || type == typeof(SealWriter) || type == typeof(SealReader))
            .SelectMany(type => type.GetMethods(Every).Cast<MethodBase>().Concat(type.GetConstructors(Every)))
            .Where(method => method.DeclaringType!.Assembly == typeof(WireWriter).Assembly)
            .ToArray();

        Assert.True(methods.Length > 50);
        Assert.All(methods, method =>
        {
            var types = method.GetParameters().Select(parameter => parameter.ParameterType).Append((method as MethodInfo)?.ReturnType ?? typeof(void));
            Assert.DoesNotContain(types.SelectMany(Parts), Holders.Contains);
        });
        Assert.DoesNotContain(typeof(Plaintext), methods.Where(method => method.DeclaringType!.Namespace == typeof(WireWriter).Namespace).SelectMany(method => method.GetParameters()).Select(parameter => parameter.ParameterType));
    }

    /// <summary>No formatter of .NET finds anything to write, and no text form says more than the type.</summary>
    [Fact]
    public void What_holds_a_secret_has_no_serialiser_and_no_text()
    {
        Assert.All(Holders, type =>
        {
            Assert.False(typeof(ISerializable).IsAssignableFrom(type) || typeof(IFormattable).IsAssignableFrom(type), type.Name);
            Assert.DoesNotContain(type.GetCustomAttributes(), attribute => attribute.GetType().FullName!.Contains("Serializ", StringComparison.Ordinal));
            Assert.Equal(typeof(object), type.GetMethod(nameof(ToString), [])!.DeclaringType);
            Assert.Null(type.GetMethod("PrintMembers", Every));
        });
        using var wire = new WireFixture();
        Assert.Equal("{}", JsonSerializer.Serialize(wire.Secret));
    }

    [Fact]
    public void A_disposed_key_leaves_nothing_in_memory()
    {
        using var context = new CkksContext(new CkksParameters(WireFixture.Tiny));
        using var generator = new KeyGenerator(context, HeFixture.FixedSeed(1), allowInsecure: true);
        var secret = generator.NewSecretKey();
        var words = Enumerable.Range(0, secret.Polynomial.Limbs).Select(i => (nint)secret.Polynomial[i]).ToArray();
        Assert.All(words, word => Assert.True(new Span<byte>((void*)word, 8 * context.Parameters.Degree).ContainsAnyExcept((byte)0)));

        secret.Dispose();

        // The pool keeps the block, so it may still be looked at.
        Assert.All(words, word => Assert.False(new Span<byte>((void*)word, 8 * context.Parameters.Degree).ContainsAnyExcept((byte)0)));
    }

    [Fact]
    public void A_disposed_or_forgotten_generator_leaves_no_seed_in_memory()
    {
        using var context = new CkksContext(new CkksParameters(WireFixture.Tiny));
        var disposed = new Randomness(context.Ring, "test");
        var seed = SeedOf(disposed);
        Assert.True(seed.AsSpan().ContainsAnyExcept((byte)0));

        disposed.Dispose();
        var forgotten = Forgotten(context);
        GC.Collect();
        GC.WaitForPendingFinalizers();

        Assert.False(seed.AsSpan().ContainsAnyExcept((byte)0));
        Assert.False(forgotten.AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Secret_seeds_differ_and_public_seeds_are_used_once()
    {
        using var context = new CkksContext(new CkksParameters(WireFixture.Tiny));
        using var first = new Randomness(context.Ring, "test");
        using var second = new Randomness(context.Ring, "test");

        Assert.NotEqual(SeedOf(first), SeedOf(second));
        Assert.Equal(20, Enumerable.Range(0, 10).SelectMany(_ => new[] { first.PublicSeed(), second.PublicSeed() }).Distinct().Count());
    }

    /// <summary>AES-256 in counter mode with the hash of the domain and seed as key, from the standard's own parts.</summary>
    [Fact]
    public void A_stream_is_the_documented_one_however_much_is_drawn()
    {
        var seed = HeFixture.FixedSeed(7);
        using var aes = Aes.Create();
        aes.Key = SHA256.HashData([4, 0, 0, 0, 9, 0, 0, 0, .. "test"u8, .. seed.Span]);
        var counters = new byte[100_000 / 16 * 16];
        for (var i = 0; i < counters.Length; i += 16)
        {
            BitConverter.TryWriteBytes(counters.AsSpan(i), (ulong)i / 16);
        }

        var expected = aes.EncryptEcb(counters, PaddingMode.None);
        using var stream = new RandomStream(seed.Span, "test", 9);

        Assert.All(Enumerable.Range(0, expected.Length / 8), i => Assert.Equal(BitConverter.ToUInt64(expected, 8 * i), stream.Next()));
    }

    [Fact]
    public void A_stream_that_was_disposed_gives_nothing()
    {
        var stream = new RandomStream(HeFixture.FixedSeed(7).Span, "test");
        stream.Next();
        stream.Dispose();
        stream.Dispose();

        Assert.Throws<ObjectDisposedException>(() => stream.Next());
    }

    /// <summary>Twice returned, a block would be two polynomials' memory.</summary>
    [Fact]
    public void A_polynomial_disposed_by_two_threads_returns_its_block_once()
    {
        using var team = new WorkTeam(2);
        using var context = new CkksContext(new CkksParameters(WireFixture.Tiny));
        var ring = context.Ring;
        for (var i = 0; i < 500; i++)
        {
            var polynomial = ring.NewPolynomial(1);
            team.For(2, _ => polynomial.Dispose());
            using var a = ring.NewPolynomial(1);
            using var b = ring.NewPolynomial(1);
            Assert.NotEqual((nint)a[0], (nint)b[0]);
        }

        Assert.Equal(0, ring.Pool.BytesInUse);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte[] Forgotten(CkksContext context) => SeedOf(new Randomness(context.Ring, "test"));

    private static byte[] SeedOf(Randomness random) => (byte[])typeof(Randomness).GetField("_seed", Every)!.GetValue(random)!;

    private static HashSet<Type> AllHolders()
    {
        var holders = new HashSet<Type> { typeof(SecretKey), typeof(SealSecretKey), typeof(Randomness) };
        var types = typeof(SecretKey).Assembly.GetTypes();
        int before;
        do
        {
            before = holders.Count;
            holders.UnionWith(types.Where(type => type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).SelectMany(field => Parts(field.FieldType)).Any(holders.Contains)));
        }
        while (holders.Count > before);
        return holders;
    }

    /// <summary>A type, what its elements are, and its generic arguments.</summary>
    private static IEnumerable<Type> Parts(Type type) =>
        [type, .. type.HasElementType ? Parts(type.GetElementType()!) : [], .. type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts) : []];
}
