using System.Reflection;
using System.Reflection.Emit;

namespace ActorTrainer.Tests.Refresh;

/// <summary>
/// Which types can be reached from some: through bases, interfaces, nested types, generic arguments, fields, properties, what constructors and methods take, return and
/// keep in locals, and what types their instructions name. Only types of this program are walked.
/// </summary>
internal static class SecretReach
{
    private const BindingFlags Every = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> Instructions = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>Every type that is reached, with the one that it was reached from first; itself for the roots.</summary>
    public static IReadOnlyDictionary<Type, Type> From(IEnumerable<Type> roots)
    {
        var from = roots.Distinct().ToDictionary(root => root, root => root);
        var next = new Queue<Type>(from.Keys);
        while (next.TryDequeue(out var type))
        {
            foreach (var reached in Named(type).SelectMany(Parts).Where(IsOurs).Where(reached => from.TryAdd(reached, type)))
            {
                next.Enqueue(reached);
            }
        }

        return from;
    }

    /// <summary>How a type was reached.</summary>
    public static string Path(IReadOnlyDictionary<Type, Type> from, Type type)
    {
        var path = new List<Type> { type };
        while (from[path[0]] != path[0])
        {
            path.Insert(0, from[path[0]]);
        }

        return string.Join(" → ", path.Select(step => step.Name));
    }

    private static bool IsOurs(Type type) => type.Assembly.GetName().Name?.StartsWith("ActorTrainer.", StringComparison.Ordinal) == true;

    private static IEnumerable<Type> Named(Type type) =>
    [
        .. type.BaseType is { } parent ? [parent] : Type.EmptyTypes,
        .. type.GetInterfaces(),
        .. type.GetNestedTypes(Every),
        .. type.GetFields(Every).Select(field => field.FieldType),
        .. type.GetProperties(Every).Select(property => property.PropertyType),
        .. type.GetMethods(Every).Cast<MethodBase>().Concat(type.GetConstructors(Every)).SelectMany(OfMethod),
    ];

    private static IEnumerable<Type> OfMethod(MethodBase method) =>
    [
        .. method.GetParameters().Select(parameter => parameter.ParameterType),
        .. method is MethodInfo info ? [info.ReturnType] : Type.EmptyTypes,
        .. method.GetMethodBody()?.LocalVariables.Select(local => local.LocalType) ?? [],
        .. Used(method),
    ];

    /// <summary>Types that a method's instructions name, and those whose members they use.</summary>
    private static IEnumerable<Type> Used(MethodBase method)
    {
        var code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        var arguments = (Of: method.DeclaringType is { IsGenericType: true } owner ? owner.GetGenericArguments() : null, In: method.IsGenericMethod ? method.GetGenericArguments() : null);
        for (var at = 0; at < code.Length;)
        {
            var first = code[at++];
            var instruction = Instructions[first == 0xfe ? (short)(0xfe00 | code[at++]) : first];
            if (instruction.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType)
            {
                var member = method.Module.ResolveMember(BitConverter.ToInt32(code, at), arguments.Of, arguments.In);
                foreach (var type in OfMember(member))
                {
                    yield return type;
                }
            }

            at += instruction.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }
    }

    private static IEnumerable<Type> OfMember(MemberInfo? member) => member switch
    {
        Type type => [type],
        MethodInfo { IsGenericMethod: true } generic => [.. generic.GetGenericArguments(), .. Declared(generic)],
        null => [],
        _ => Declared(member),
    };

    private static IEnumerable<Type> Declared(MemberInfo member) => member.DeclaringType is { } type ? [type] : [];

    /// <summary>A type, what its elements are, its definition and its generic arguments.</summary>
    private static IEnumerable<Type> Parts(Type type) =>
        type.IsGenericParameter ? type.GetGenericParameterConstraints().Where(constraint => !constraint.ContainsGenericParameters).SelectMany(Parts)
        : type.HasElementType ? Parts(type.GetElementType()!)
        : type.IsGenericType ? [type.GetGenericTypeDefinition(), .. type.GetGenericArguments().SelectMany(Parts)]
        : type.IsFunctionPointer ? []
        : [type];
}
